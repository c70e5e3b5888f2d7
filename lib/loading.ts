// Before many of Node's own modules are loaded, as for another thread: whoever has set something in V8 that makes that slow may take
// it back for as long.
type Resume = () => void;

let pause = (): Resume => () => undefined;

/** From now on `action` is done before, and what it returns afterwards. */
export function aroundLoading(action: () => Resume): void {
  pause = action;
}

/** @returns what is to be called when they are loaded, or never will be */
export const beforeLoading = (): Resume => pause();
