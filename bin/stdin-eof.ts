// --stdin-eof: what the end of stdin does to the Guest.
//
// That we have read the last byte means little to the Guest: it may still be booting. So we wait until it has taken all
// of them, and then until it has nothing to do, which is when it waits for more.
import type { Guest } from '../launcher/guest.js';
import type { StdinEof } from '../launcher/options-table.js';
import type { End } from './ending.js';

const CONTROL_D = 0x04;
/** A Guest that asks for input has printed its prompt and sleeps: that shows soon. */
const ASKS_MS = 250;
/** To end what would go on is another matter. */
const DONE_MS = 1000;

/** Resolves when the Guest has taken everything that was typed before. */
const taken = (guest: Guest): Promise<void> =>
  new Promise((resolve) => {
    guest.console.write(new Uint8Array(), () => resolve());
  });

export async function stdinEnded(guest: Guest, what: StdinEof, end: End): Promise<void> {
  if (what === 'ignore') return;
  await taken(guest);
  if (what === 'poweroff') {
    if (await guest.idle(DONE_MS)) end(0, 'stdin has ended');
    return;
  }
  // Whoever reads from a pipe that has ended finds the end every time; so does the Guest, when it has come to ask again.
  for (let answered = -1; await guest.idle(ASKS_MS);) {
    if (guest.console.bytesPrinted === answered) continue;
    answered = guest.console.bytesPrinted;
    guest.console.write(Uint8Array.of(CONTROL_D));
    await taken(guest);
  }
}
