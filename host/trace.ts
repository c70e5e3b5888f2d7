// Where a Guest's way through the Host can be watched from outside: by tests that walk it, by someone who wonders.

export type TraceStation =
  | 'enter'
  | 'trap'
  | 'hypercall'
  | 'queued-hypercall'
  | 'page-mapped'
  | 'reflect'
  | 'interrupt'
  | 'to-launcher'
  | 'halt'
  | 'killed';

/** Called at each station with its number: vector, hypercall, irq or address. Costs one comparison when absent. */
export type HostTrace = (station: TraceStation, detail: number) => void;
