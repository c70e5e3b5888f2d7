// The routines behind the transcendental instructions against the true values: computed to 1200 bits by mpmath, an
// independent library, and rounded to 64.
import t from 'tap';
import * as State from '../../../switcher/cpu/state.js';
import { transcendentalRoutines, X87_INEXACT, X87_ZERO } from '../../../switcher/cpu/x87-transcendental.js';

const BIAS = 0x3fff;

/** routine, x (ST(0)), y (ST(1)), result; a number is its sign and significand, and the exponent of its top bit. */
const TRUE_VALUES = [
  'x87Sine ade47ddebde5c099:5 - -f99257522bde24d4:-2',
  'x87Sine bb99850000000000:0 - fe95deb594c3a822:-1',
  'x87Sine -9413b40000000000:4 - aab6d1d106b6752a:-2',
  'x87Sine -c599f4b4617959ce:0 - -ffe80d0081d22bb0:-1',
  'x87Sine -9bbdcd0000000000:-1 - -924f8f1268d9d91d:-1',
  'x87Sine e186c5bb28dbd25e:-1 - c57751b333627211:-1',
  'x87Sine -90ed44bc206f5c66:-3 - -9071880469b690b0:-3',
  'x87Sine 9b94e30cc60a3cab:-1 - 922dfa73b17337f7:-1',
  'x87Sine a825ba5d4a0fe75d:5 - -ee3df9a7cb84195c:-1',
  'x87Sine f871e6cb2e81d66d:0 - eea8bef4229b63a1:-1',
  'x87Sine -82c2d00e4c7d6df0:-34 - -82c2d00e4c7d6df0:-34',
  'x87Sine -88567f8043892dfc:-35 - -88567f8043892dfc:-35',
  'x87Sine -a7acb39310e6d8e6:-36 - -a7acb39310e6d8e6:-36',
  'x87Sine -a86be89fb2489191:-60 - -a86be89fb2489191:-60',
  'x87Sine a0ca90ff0e979cf3:62 - c70e40a8f5e26d47:-2',
  'x87Sine -b3bfe89cd84a1d3a:61 - c285438c46cc3051:-1',
  'x87Sine ca0ce7a660597bdc:40 - -e23d3992270b00d4:-1',
  'x87Sine c90fdaa22168c235:0 - 8000000000000000:0',
  'x87Sine c90fdaa22168c235:1 - -8000000000000000:-64',
  'x87Sine 96cbe3f9990e91a8:2 - -8000000000000000:0',
  'x87Sine afeddf4ddd3ba9ee:3 - -8000000000000000:0',
  'x87Cosine 97285e0000000000:0 - c2992266938b3d59:-2',
  'x87Cosine 9f7fc50000000000:4 - edc6bd5dd9d9693a:-2',
  'x87Cosine ad69dd198332f05a:1 - -e87b0c7a258bc0c4:-1',
  'x87Cosine cb7d5dbd1ba95a54:2 - ff437a7d7059567f:-1',
  'x87Cosine b76bc7ae0960afe9:-2 - efbf6038c27eaad3:-1',
  'x87Cosine c1a60db4573ac59a:-1 - ba2f4801cbc14aff:-1',
  'x87Cosine f64c1b824692ba03:-2 - e2f24f196cc84d05:-1',
  'x87Cosine -a88ce6e6af9b74f8:-2 - f240cce9caa0655f:-1',
  'x87Cosine -d836df70b89c4e56:4 - -a2a3bb24b182ef16:-2',
  'x87Cosine -8636f51eb85a5cd2:6 - -d8a539ff89b2f07e:-2',
  'x87Cosine 9e610bbc0825c7cc:-34 - 8000000000000000:0',
  'x87Cosine -d352de4c74a677c6:-35 - 8000000000000000:0',
  'x87Cosine -bf2d1c0000000000:-36 - 8000000000000000:0',
  'x87Cosine dda72e08fb368220:-60 - 8000000000000000:0',
  'x87Cosine -959bec0b1b4c24c2:62 - -e13bc0cd4891079e:-1',
  'x87Cosine -b5d7b80000000000:61 - -8620e58153f98d27:-1',
  'x87Cosine -c2d743b8f9dba1db:40 - -b56747dfc4de19e6:-1',
  'x87Cosine c90fdaa22168c235:0 - -8000000000000000:-65',
  'x87Cosine c90fdaa22168c235:1 - -8000000000000000:0',
  'x87Cosine 96cbe3f9990e91a8:2 - e000000000000000:-63',
  'x87Cosine afeddf4ddd3ba9ee:3 - -a000000000000000:-63',
  'x87Tangent -a31398a07aa286ac:3 - -f6ffda647c0d61de:-1',
  'x87Tangent b0418f791cd0c151:5 - a7bffde612ba479b:-4',
  'x87Tangent -f7f459daa080c6a5:2 - -973c1f89ac0386b1:3',
  'x87Tangent -bef555b216d1b5ac:5 - -b51a1bc9ae47c4ee:-1',
  'x87Tangent e49c63461027e5d3:2 - 94f39a0060a6e724:0',
  'x87Tangent -a721250000000000:1 - 960fcc1073491fe1:-1',
  'x87Tangent e28715cc43cdc356:1 - d7348a2c0d416b0d:-2',
  'x87Tangent 96ddfbb1a6523995:-3 - 97f7e14bb78898dd:-3',
  'x87Tangent -e30928c88c07985b:1 - -dc0119f48d888cc0:-2',
  'x87Tangent e888f59b49f088d4:2 - c04edb5d19ed2671:0',
  'x87Tangent -d270a8ac461cb6e0:-34 - -d270a8ac461cb6e0:-34',
  'x87Tangent -ebe37a71ec1e07d7:-35 - -ebe37a71ec1e07d7:-35',
  'x87Tangent aacba0f3f4de438f:-36 - aacba0f3f4de438f:-36',
  'x87Tangent ae56f6a0d62cbf25:-60 - ae56f6a0d62cbf25:-60',
  'x87Tangent 8a175266b101446a:62 - -8d16bf92fe3be480:4',
  'x87Tangent e3e337a99de552dd:61 - b56e62d2f65b33c2:1',
  'x87Tangent c6cf83889fad3bf4:40 - ad2ecf9a82227f6c:-1',
  'x87Tangent c90fdaa22168c235:0 - -8000000000000000:65',
  'x87Tangent c90fdaa22168c235:1 - 8000000000000000:-64',
  'x87Tangent 96cbe3f9990e91a8:2 - -9249249249249249:62',
  'x87Tangent afeddf4ddd3ba9ee:3 - cccccccccccccccd:62',
  'x87ArcTangent 947ba20000000000:-2 -d7cd7255c24da336:-4 -b27074cd0d5131ea:-2',
  'x87ArcTangent -9cf58472fad18c6a:-2 -fbe6c90000000000:-1 -efb85f28cb7f9d59:0',
  'x87ArcTangent -bb8ff00000000000:-3 dbe7ec483ce3808e:-4 a7209fc877270e68:1',
  'x87ArcTangent -f9dea11f67c6b462:2 ea6a550000000000:-4 c81fb465fecde0a7:1',
  'x87ArcTangent a5cbc75718463b8a:1 ad01d309f5532e9c:2 8fdde9567f469b2d:0',
  'x87ArcTangent c82e88eed0201a41:1 941137ce24617bfa:3 9f578e33a8cc9807:0',
  'x87ArcTangent 91059696f7cea56e:1 -8dd0440000000000:4 -b8c9c837a0362869:0',
  'x87ArcTangent d0920611535005d3:2 -fd03dd416e82d425:0 -96c30c0a11ddb355:-2',
  'x87ArcTangent -daa986c7f8f2c944:-2 -fd90c560bdb3e4fa:0 -e43dbbc44a7d6efe:0',
  'x87ArcTangent a8d9fd9b05092dfd:0 -a4a8b382edf6a199:-4 -f955cd38e8333eda:-5',
  'x87ArcTangent cf936d0000000000:-1 -e40ef3bd0a3be662:2 -ba8fb05a7aef12e3:0',
  'x87ArcTangent c42b140000000000:-1 -84b4a5ecc82b12a6:0 -ef2e5a5713085990:-1',
  'x87ArcTangent -fe91d302b8b15bf4:0 d28b513984aa0116:-200 c90fdaa22168c235:1',
  'x87ArcTangent -9021d30000000000:0 -c3d2b2d2bb34e707:-81 -c90fdaa22168c235:1',
  'x87ArcTangent df5cb915ae87eb6f:0 a04f650000000000:-80 b7bc179c28530809:-81',
  'x87ArcTangent b6ff71a303ba3cf5:0 f4b31651dbd34bec:-79 ab2873304fc0128a:-79',
  'x87ArcTangent ed0b1ac0aead0f80:0 -e10c9720d47c6c29:-40 -f30beef37d43b52a:-41',
  'x87ArcTangent a4a77ad7950554f8:0 -952d722f2486f35e:40 -c90fdaa220db7aa1:0',
  'x87ArcTangent -93a6cc1289b6bf90:0 -9d71450000000000:79 -c90fdaa22168c235:0',
  'x87ArcTangent -f898e60000000000:0 b3df810000000000:80 c90fdaa22168c235:0',
  'x87ArcTangent -8fa9600000000000:0 a5706858fe7a436f:81 c90fdaa22168c235:0',
  'x87ArcTangent -ce2888382edeb6cd:0 -9b48210000000000:200 -c90fdaa22168c235:0',
  'x87ArcTangent -89376cd3bedacbe9:0 -b3030c3abe09d6a4:16000 -c90fdaa22168c235:0',
  'x87ArcTangent 8000000000000000:0 8000000000000000:-90 8000000000000000:-90',
  'x87ArcTangent c000000000000000:0 8000000000000000:-90 aaaaaaaaaaaaaaab:-91',
  'x87ArcTangent 8000000000000000:0 -8000000000000000:0 -c90fdaa22168c235:-1',
  'x87PowerMinusOne -b740faa4028d5252:-1 - -c8447b14751faed7:-2',
  'x87PowerMinusOne f82203775a789cbb:-8 - ac71dc0d2d5e2dbd:-8',
  'x87PowerMinusOne -a5b98623b2820251:-4 - -df6b3d6c1fefcd5c:-5',
  'x87PowerMinusOne 88167bbf43642324:-4 - c111e9090aeeba7e:-5',
  'x87PowerMinusOne -fcd02ca68459d49e:-5 - -ab8a861df2097d94:-5',
  'x87PowerMinusOne -de4deb3a740df956:-6 - -98a6455d641b58b4:-6',
  'x87PowerMinusOne -abb9b00000000000:-8 - -eda148760ca85775:-9',
  'x87PowerMinusOne 8ff92c0000000000:-1 - f41493e938e04bb7:-2',
  'x87PowerMinusOne -f03f21e863cd591a:-3 - -99b0daf4bcadbef7:-3',
  'x87PowerMinusOne -c3ee0f0000000000:-2 - -ee93f1454b015be9:-3',
  'x87PowerMinusOne 934d720000000000:-20 - cc346949bfca27b0:-21',
  'x87PowerMinusOne -8edba2f3bfe647a7:-64 - -c60b0db23db9c613:-65',
  'x87PowerMinusOne d9ca68f723c7a75a:-99 - 96f60319a2033628:-99',
  'x87PowerMinusOne aaa86e164a3078a2:-100 - ec9506318af92cae:-101',
  'x87PowerMinusOne 9176633f60cdb5d6:-101 - c9a75deaef06aa21:-102',
  'x87PowerMinusOne -d0cfc669cdf3ebb2:-2000 - -90bcb84250f22a68:-2000',
  'x87PowerMinusOne 8000000000000000:0 - 8000000000000000:0',
  'x87PowerMinusOne -8000000000000000:0 - -8000000000000000:-1',
  'x87TimesLogarithm ff1cf40000000000:1 -971bcbaebd7b20aa:-14 -96baf4321e19389d:-13',
  'x87TimesLogarithm 97da0b0000000000:-2 beb946660a199978:10 -a7371537b0f7d632:11',
  'x87TimesLogarithm b6a78842001ccfc6:0 f7a129d7e3c86ae4:7 fe0df26e93f2ea49:6',
  'x87TimesLogarithm bb1f7910772fd30f:-3 -d3a15ba22798aab4:3 81bcda13ef5e2310:5',
  'x87TimesLogarithm f0af12e9de714f6d:0 -a08545558d540165:-10 -923bcb429b67f846:-10',
  'x87TimesLogarithm 9e19fa7dac074684:-3 -841bb4a8e577bb8d:3 b20901d7eebab883:4',
  'x87TimesLogarithm 8789d3c2f01cf87e:2 -ba73c70000000000:-11 -c226171c81c833c8:-10',
  'x87TimesLogarithm d5938d0000000000:-1 -d654e1f074315ed2:-10 e0191906d271b8cc:-12',
  'x87TimesLogarithm db7ecb0000000000:-3 8a02910ea80e5e7d:3 -995371c8202b9a01:4',
  'x87TimesLogarithm bbe8a2852f39d55a:-1 ddbd91ce111ef5da:9 -c5d792488e7542e8:8',
  'x87TimesLogarithm 9ec9ca6bc69d944e:-2 859f34c6f0c36a31:7 -e1b1543fca94b375:7',
  'x87TimesLogarithm bb20021e019b1635:-3 -d735bb30c77dccf4:-18 83ee6714befeb1cc:-16',
  'x87TimesLogarithm 8000000000000001:0 eaf2eb0000000000:0 a97ad483ff95e836:-62',
  'x87TimesLogarithm ffffffffffffffff:-1 -891dae0000000000:0 c5d104eb145cb646:-64',
  'x87TimesLogarithm 8000000000100000:0 -bc52690000000000:0 -87d875b7251c8db3:-42',
  'x87TimesLogarithm b504f333f9de6484:0 b2db580000000000:0 b2db57ffffffffff:-1',
  'x87TimesLogarithm b504f333f9de6485:-1 -b4280a86d55b8295:0 b4280a86d55b8293:-1',
  'x87TimesLogarithm 8000000000000000:5 -fc5e320000000000:0 -9dbadf4000000000:3',
  'x87TimesLogarithm 8000000000000000:-16000 -9deaa4948803df53:0 9a3724b90cd3c817:14',
  'x87TimesLogarithm ffffffffffffffff:16000 c55e310000000000:0 c0c11152c4000000:14',
  'x87TimesLogarithmPlusOne -dd75490000000000:-20 -adc64aff8a2564da:16 d8e06da3b6c5c21f:-3',
  'x87TimesLogarithmPlusOne -d00340c685b6846b:-20 b97a34eab0486fb3:-6 -d96d9917ea1ce39e:-25',
  'x87TimesLogarithmPlusOne -a7e65c0000000000:-12 -90fb434c5018a43b:-15 89343db88c99de4e:-26',
  'x87TimesLogarithmPlusOne -d93cff373eae75cb:-7 -87dd57a1469cf72c:-5 a771f3b5796a148b:-11',
  'x87TimesLogarithmPlusOne 9994d00000000000:-9 b5d57f0000000000:4 9d31fef6d207712e:-4',
  'x87TimesLogarithmPlusOne a498aa0000000000:-16 925d460000000000:-19 87c3ada7ab4d351c:-34',
  'x87TimesLogarithmPlusOne -b6bb710000000000:-8 -88705b8a523f482c:-12 8ce59e8b18dc6c8e:-19',
  'x87TimesLogarithmPlusOne -d683c7817f6a81ab:-19 e1c3cc0000000000:-19 -8876d61f48e7e404:-36',
  'x87TimesLogarithmPlusOne 867b0f0000000000:-9 a10ba672dc1bbb58:19 f3da57e6d2b27daa:10',
  'x87TimesLogarithmPlusOne -c383130000000000:-9 -addaebd154934328:17 bfd79c6b159b2e5b:9',
  'x87TimesLogarithmPlusOne -fdd0de5aba11bcd6:-64 e1e1272c723b2930:1 -a18c2854050aa589:-61',
  'x87TimesLogarithmPlusOne -a895e80000000000:-65 -b7925fe398a252e3:-2 ae67e179da2c90f1:-66',
  'x87TimesLogarithmPlusOne bc95651688588c94:-99 e839a20000000000:-2 f6cd2992f4a6743d:-100',
  'x87TimesLogarithmPlusOne -802383fefa5edc9b:-100 -f0de77e3b47e99fd:1 adf04742f39a251e:-98',
  'x87TimesLogarithmPlusOne a3763397338a27a0:-101 e02364d1c3baa2d9:0 ce797fa04fb01c27:-100',
  'x87TimesLogarithmPlusOne 9fc64d79cf1032ee:-300 -acb1b79c669e96c1:-1 -9b7f0f5b1c623f18:-300',
];

const view = new DataView(new ArrayBuffer(State.X87_RESULT + 64));
const routines = transcendentalRoutines(view);

function give(offset: number, text: string): void {
  const [significand = '', exponent = ''] = text.replace('-', '').split(':');
  view.setBigUint64(offset + State.X87_SIGNIFICAND, BigInt(`0x${significand}`), true);
  view.setInt32(offset + State.X87_EXPONENT, exponentOf(text, exponent) + BIAS, true);
  view.setInt32(offset + State.X87_SIGN, text.startsWith('-') ? 1 : 0, true);
}

const exponentOf = (text: string, exponent: string): number =>
  text.includes(':-') ? -Number(exponent.replace('-', '')) : Number(exponent);

/** The result, rounded to nearest. */
function taken(): string {
  const at = State.X87_RESULT;
  const high = view.getBigUint64(at + State.X87_SIGNIFICAND, true);
  const low = view.getBigUint64(at + State.X87_LOW, true);
  const half = 1n << 63n;
  const up = low > half || (low === half && high % 2n === 1n);
  const rounded = high + (up ? 1n : 0n);
  const over = rounded >> 64n === 1n;
  const exponent = view.getInt32(at + State.X87_EXPONENT, true) - BIAS + (over ? 1 : 0);
  const sign = view.getInt32(at + State.X87_SIGN, true) === 0 ? '' : '-';
  return `${sign}${(over ? half : rounded).toString(16)}:${exponent}`;
}

t.test('transcendental results are the true values, rounded', (t) => {
  for (const line of TRUE_VALUES) {
    const [name = '', x = '', y = '', result] = line.split(' ');
    give(State.X87_OPERAND_X, x);
    if (y !== '-') give(State.X87_OPERAND_Y, y);
    routines[name as 'x87Sine']();
    t.equal(taken(), result, `${name} of ${x} ${y}`);
  }
  t.end();
});

t.test('logarithms of 1 are zero, of a power of two whole', (t) => {
  give(State.X87_OPERAND_X, '8000000000000000:0');
  give(State.X87_OPERAND_Y, '8000000000000000:0');
  t.equal(routines.x87TimesLogarithm(), X87_ZERO);
  give(State.X87_OPERAND_X, '8000000000000000:-3');
  t.not(routines.x87TimesLogarithm(), X87_INEXACT);
  t.equal(taken(), '-c000000000000000:1');
  t.end();
});

t.test('multiples of π are of the π that has 66 bits', (t) => {
  t.equal(routines.x87QuarterTurns(3), X87_INEXACT);
  t.equal(taken(), '96cbe3f9990e91a8:1');
  give(State.X87_OPERAND_X, 'c90fdaa22168c235:1');
  routines.x87Sine();
  // π to 64 bits is a quarter of its last place above π to 66.
  t.equal(taken(), '-8000000000000000:-64');
  t.end();
});
