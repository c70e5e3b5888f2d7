// Where the reference Guest is, a small kernel of our own that comes with the package.
import { fileURLToPath } from 'node:url';

export const referenceGuest = (): string => fileURLToPath(new URL('../../guest/reference.img', import.meta.url));
