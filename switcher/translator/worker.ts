// The other thread: makes one region after the other.
import { type MessagePort, workerData } from 'node:worker_threads';
import { internForm } from '../decode/forms.js';
import { type Job, READY } from './job.js';
import { makeRegion } from './make-region.js';
import type { Block, Region } from './region.js';

/** The same with this thread's own forms, each of which is there once. */
function withOwnForms(region: Region): Region {
  const blocks = new Map<number, Block>();
  for (const [eip, block] of region.blocks) {
    const instructions = block.instructions.map((each) => ({ ...each, form: internForm(each.form) }));
    blocks.set(eip, { ...block, instructions });
  }
  return { ...region, blocks };
}

const port = workerData as MessagePort;
port.on('message', (job: Job) => port.postMessage(makeRegion({ ...job, region: withOwnForms(job.region) }, true)));
port.postMessage(READY);
