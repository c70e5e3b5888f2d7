// What we use of @defasm/core, which comes without types: https://github.com/NewDefectus/defasm/tree/master/core
declare module '@defasm/core' {
  /** A part of the text; of one that is in a line, `parent` is where that begins. */
  export interface Range {
    readonly start: number;
  }

  export interface Symbol {
    readonly value: { readonly addend: bigint; readonly section?: { readonly name: string } };
  }

  export class AssemblyState {
    constructor(config?: { readonly bitness?: 32 | 64 });
    readonly errors: readonly { readonly message: string; readonly range: Range }[];
    readonly symbols: ReadonlyMap<string, Symbol>;
    readonly head: { dump(): Uint8Array };
    compile(source: string, options?: { readonly haltOnError?: boolean }): void;
  }
}
