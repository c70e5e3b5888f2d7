// What the measuring of an operation needs: a Guest that does it so often, and a way to its end.

/** A Guest, and how it is driven to its end. */
export interface Trial {
  run(): void;
}

export interface Operation {
  readonly name: string;
  /** How often it is done in one trial. */
  readonly count: number;
  /** With `count` operations, or with none, all else equal. */
  trial(count: number): Trial;
}
