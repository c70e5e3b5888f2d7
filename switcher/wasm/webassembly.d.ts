// The part of the WebAssembly JavaScript API that is used here. TypeScript declares it with the DOM, which Node is not.
declare global {
  namespace WebAssembly {
    class Memory {
      constructor(descriptor: { initial: number; maximum?: number });
      readonly buffer: ArrayBuffer;
    }
    class Module {
      constructor(bytes: Uint8Array<ArrayBuffer>);
      static customSections(module: Module, name: string): ArrayBuffer[];
    }
    function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
    type ImportValue = Memory | Table | ((...args: number[]) => number);
    class Table {
      readonly length: number;
      grow(by: number, value?: unknown): number;
      set(index: number, value: unknown): void;
    }
    class Instance {
      constructor(module: Module, imports: Record<string, Record<string, ImportValue>>);
      readonly exports: Record<string, unknown>;
    }
  }
}

export {};
