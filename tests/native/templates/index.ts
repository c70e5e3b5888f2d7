// All templates, by the file that their cases go to.
import type { RecordedFamily } from '../../support/cpu-vectors.js';
import { arithmetic } from './arithmetic.js';
import { control } from './control.js';
import { data } from './data.js';
import { forms } from './forms.js';
import { loops } from './loops.js';
import { packedIntegers } from './mmx.js';
import { shifts } from './shifts.js';
import { sseFloat, sseRest } from './sse.js';
import { strings } from './strings.js';
import type { Plan } from './template.js';
import { x87Arithmetic } from './x87-arithmetic.js';
import { x87Rest } from './x87.js';

const WRITTEN: Readonly<Record<Exclude<RecordedFamily, 'forms'>, () => Plan[]>> = {
  arithmetic,
  shifts,
  data,
  control,
  strings,
  'x87-arithmetic': x87Arithmetic,
  x87: x87Rest,
  mmx: packedIntegers,
  'sse-arithmetic': sseFloat,
  sse: sseRest,
  loops,
};

/** The templates that are written by hand, all of them. */
export const writtenPlans = (): Plan[] => Object.values(WRITTEN).flatMap((plans) => plans());

export const TEMPLATES: Readonly<Record<RecordedFamily, () => Plan[]>> = {
  ...WRITTEN,
  forms: () => forms(writtenPlans()),
};
