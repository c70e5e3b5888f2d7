// Rounding to an integer as WebAssembly's `nearest` does it: halves go to the even neighbour, and zeros keep their sign.
export const nearest = (a: number): number => {
  if (!Number.isFinite(a) || a === 0) return a;
  const floor = Math.floor(a);
  const rest = a - floor;
  const rounded = rest < 0.5 ? floor : rest > 0.5 ? floor + 1 : floor % 2 === 0 ? floor : floor + 1;
  return rounded === 0 && a < 0 ? -0 : rounded;
};
