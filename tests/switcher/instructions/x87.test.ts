// The x87, held against a real one (see tests/vectors).
import { testVectors } from '../../support/vector-tests.js';

testVectors(['x87-arithmetic', 'x87']);
