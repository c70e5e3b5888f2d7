// Every form that the decoder knows means something, and does once what a real CPU did (see tests/vectors).
import t from 'tap';
import { allForms } from '../../../switcher/decode/all-forms.js';
import { isDefined } from '../../../switcher/instructions/index.js';
import { testVectors } from '../../support/vector-tests.js';

t.test('every mnemonic that the decoder knows is defined', async (sub) => {
  const mnemonics = new Set(allForms().map((form) => form.mnemonic));
  sub.same(
    [...mnemonics].filter((mnemonic) => !isDefined(mnemonic)),
    [],
  );
});

testVectors(['forms']);
