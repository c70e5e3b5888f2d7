// One floating-point instruction on many operands: what a real CPU answers. Started as `float fadd`, it reads cases from
// its standard input until that ends and writes an answer for each (see tests/support/float-cases.ts).
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct input {
  uint64_t x, y;                      // significands, raw bits, integers: as the instruction has it
  uint16_t x_sign_exponent, y_sign_exponent;
  uint32_t control;                   // x87 control word or MXCSR
};

struct output {
  uint64_t value;
  uint32_t sign_exponent;
  uint32_t status;                    // x87 status word or MXCSR; EFLAGS in the upper half
};

struct __attribute__((packed)) f80 {
  uint64_t significand;
  uint16_t sign_exponent;
};

// What the instructions work on, at fixed places: ST(0), ST(1), memory.
static struct f80 st0, st1, memory;
static uint16_t control, status;
static uint32_t mxcsr, general, flags;
static uint64_t xmm0[2], xmm1[2];

// st(1) and st(0) in, st(0) and st(1) out.
#define X87(name, text)                                                                                      \
  static void name(void) {                                                                                   \
    asm volatile("fninit\n fldcw %0\n fldt %1\n fldt %2\n" text "\n fnstsw %3\n fnclex\n fldcw %0\n"       \
                 : : "m"(control), "m"(st1), "m"(st0), "m"(status) : "memory");                             \
    uint16_t all_masked = 0x37f;                                                                             \
    asm volatile("fldcw %2\n fstpt %0\n fstpt %1\n fninit" : "=m"(st0), "=m"(st1) : "m"(all_masked));       \
  }
#define SSE(name, text)                                                                                      \
  static void name(void) {                                                                                   \
    asm volatile("ldmxcsr %0\n movups %1, %%xmm0\n movups %2, %%xmm1\n mov %3, %%ecx\n" text                 \
                 "\n pushf\n pop %%rax\n mov %%eax, %4\n mov %%ecx, %3\n movups %%xmm0, %1\n stmxcsr %0\n"  \
                 : : "m"(mxcsr), "m"(xmm0), "m"(xmm1), "m"(general), "m"(flags)                              \
                 : "memory", "rax", "rcx", "xmm0", "xmm1");                                                  \
  }

X87(fadd, "fadd %%st(1), %%st") X87(fsub, "fsub %%st(1), %%st") X87(fmul, "fmul %%st(1), %%st")
X87(fdiv, "fdiv %%st(1), %%st") X87(fsqrt, "fsqrt") X87(frndint, "frndint") X87(fscale, "fscale")
X87(fprem, "fprem") X87(fprem1, "fprem1") X87(fxtract, "fxtract\n fxch") X87(fcom, "fcom %%st(1)")
X87(fucom, "fucom %%st(1)") X87(fxam, "fxam") X87(fld32, "fstp %%st\n flds memory(%%rip)")
X87(fld64, "fstp %%st\n fldl memory(%%rip)") X87(fild16, "fstp %%st\n filds memory(%%rip)")
X87(fild32, "fstp %%st\n fildl memory(%%rip)") X87(fild64, "fstp %%st\n fildll memory(%%rip)")
X87(fbld, "fstp %%st\n fbld memory(%%rip)") X87(fst32, "fsts memory(%%rip)") X87(fst64, "fstl memory(%%rip)")
X87(fist16, "fists memory(%%rip)") X87(fist32, "fistl memory(%%rip)")
X87(fistp64, "fistpll memory(%%rip)") X87(fbstp, "fbstp memory(%%rip)")
SSE(addss, "addss %%xmm1, %%xmm0") SSE(subss, "subss %%xmm1, %%xmm0") SSE(mulss, "mulss %%xmm1, %%xmm0")
SSE(divss, "divss %%xmm1, %%xmm0") SSE(sqrtss, "sqrtss %%xmm0, %%xmm0") SSE(minss, "minss %%xmm1, %%xmm0")
SSE(maxss, "maxss %%xmm1, %%xmm0") SSE(addsd, "addsd %%xmm1, %%xmm0") SSE(subsd, "subsd %%xmm1, %%xmm0")
SSE(mulsd, "mulsd %%xmm1, %%xmm0") SSE(divsd, "divsd %%xmm1, %%xmm0") SSE(sqrtsd, "sqrtsd %%xmm0, %%xmm0")
SSE(minsd, "minsd %%xmm1, %%xmm0") SSE(maxsd, "maxsd %%xmm1, %%xmm0") SSE(comiss, "comiss %%xmm1, %%xmm0")
SSE(ucomiss, "ucomiss %%xmm1, %%xmm0") SSE(comisd, "comisd %%xmm1, %%xmm0") SSE(ucomisd, "ucomisd %%xmm1, %%xmm0")
SSE(cvtss2si, "cvtss2si %%xmm0, %%ecx") SSE(cvttss2si, "cvttss2si %%xmm0, %%ecx")
SSE(cvtsd2si, "cvtsd2si %%xmm0, %%ecx") SSE(cvttsd2si, "cvttsd2si %%xmm0, %%ecx")
SSE(cvtsi2ss, "xorps %%xmm0, %%xmm0\n cvtsi2ss %%ecx, %%xmm0") SSE(cvtss2sd, "cvtss2sd %%xmm0, %%xmm0")
SSE(cvtsd2ss, "cvtsd2ss %%xmm0, %%xmm0")

enum result { REGISTER, MEMORY, XMM, GENERAL };
#define ROW(name, where) { #name, name, where }
static const struct { const char *name; void (*run)(void); enum result where; } instructions[] = {
  ROW(fadd, REGISTER), ROW(fsub, REGISTER), ROW(fmul, REGISTER), ROW(fdiv, REGISTER), ROW(fsqrt, REGISTER),
  ROW(frndint, REGISTER), ROW(fscale, REGISTER), ROW(fprem, REGISTER), ROW(fprem1, REGISTER), ROW(fxtract, REGISTER),
  ROW(fcom, REGISTER), ROW(fucom, REGISTER), ROW(fxam, REGISTER), ROW(fld32, REGISTER), ROW(fld64, REGISTER),
  ROW(fild16, REGISTER), ROW(fild32, REGISTER), ROW(fild64, REGISTER), ROW(fbld, REGISTER), ROW(fst32, MEMORY),
  ROW(fst64, MEMORY), ROW(fist16, MEMORY), ROW(fist32, MEMORY), ROW(fistp64, MEMORY), ROW(fbstp, MEMORY),
  ROW(addss, XMM), ROW(subss, XMM), ROW(mulss, XMM), ROW(divss, XMM), ROW(sqrtss, XMM), ROW(minss, XMM), ROW(maxss, XMM),
  ROW(addsd, XMM), ROW(subsd, XMM), ROW(mulsd, XMM), ROW(divsd, XMM), ROW(sqrtsd, XMM), ROW(minsd, XMM), ROW(maxsd, XMM),
  ROW(comiss, GENERAL), ROW(ucomiss, GENERAL), ROW(comisd, GENERAL), ROW(ucomisd, GENERAL), ROW(cvtss2si, GENERAL),
  ROW(cvttss2si, GENERAL), ROW(cvtsd2si, GENERAL), ROW(cvttsd2si, GENERAL), ROW(cvtsi2ss, XMM), ROW(cvtss2sd, XMM),
  ROW(cvtsd2ss, XMM),
};

int main(int argc, char **argv) {
  unsigned which = 0;
  while (argc > 1 && which < sizeof instructions / sizeof *instructions && strcmp(argv[1], instructions[which].name))
    which++;
  if (argc < 2 || which == sizeof instructions / sizeof *instructions) return 2;
  struct input in;
  while (fread(&in, sizeof in, 1, stdin) == 1) {
    st0 = (struct f80){ in.x, in.x_sign_exponent };
    st1 = (struct f80){ in.y, in.y_sign_exponent };
    // Operands in memory are the second one; results there begin as nothing.
    memory = instructions[which].where == MEMORY ? (struct f80){ 0, 0 } : st1;
    control = in.control;
    mxcsr = in.control;
    xmm0[0] = in.x;
    xmm1[0] = in.y;
    general = in.x;
    instructions[which].run();
    struct output out = { 0, 0, 0 };
    switch (instructions[which].where) {
      case REGISTER: out = (struct output){ st0.significand, st0.sign_exponent, status }; break;
      case MEMORY: out = (struct output){ memory.significand, memory.sign_exponent, status }; break;
      case XMM: out = (struct output){ xmm0[0], 0, mxcsr }; break;
      case GENERAL: out = (struct output){ general, 0, mxcsr | (flags & 0x45) << 16 }; break;
    }
    fwrite(&out, sizeof out, 1, stdout);
  }
  return 0;
}
