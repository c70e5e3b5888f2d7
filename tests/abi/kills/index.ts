// All the ways for a Guest to end badly that we know of.
import { hypercallKills } from './hypercalls.js';
import type { Kill } from './kill.js';
import { pageTableKills } from './page-tables.js';
import { trapKills } from './traps.js';

export const KILLS: readonly Kill[] = [...hypercallKills, ...pageTableKills, ...trapKills];

export type { Kill } from './kill.js';
