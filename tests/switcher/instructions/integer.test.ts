// The integer instructions, flags and faults, held against a real CPU (see tests/vectors).
import { testVectors } from '../../support/vector-tests.js';

testVectors(['arithmetic', 'shifts', 'data', 'control', 'strings', 'loops']);
