// The general registers that some instructions use whatever their operands are, by byte offset into the register file.
export const EAX = { fixed: 0 } as const;
export const ECX = { fixed: 4 } as const;
export const EDX = { fixed: 8 } as const;
export const EBX = { fixed: 12 } as const;
export const ESP = { fixed: 16 } as const;
export const EBP = { fixed: 20 } as const;
export const ESI = { fixed: 24 } as const;
export const EDI = { fixed: 28 } as const;
export const AL = { fixed: 0 } as const;
export const AH = { fixed: 1 } as const;
