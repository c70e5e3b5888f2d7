#!/usr/bin/env bash
# prepare.sh FOLDER: builds the test programs of QEMU (tests/tcg) and valgrind (none and memcheck, x86) for i386, from the
# sources of the Debian that this is. They are fetched here and now, built statically, and stay out of the repository.
#
# FOLDER/bin gets the programs, FOLDER/commands one command line for each. What the Guest's CPU does not have (SSSE3 and later),
# what needs another kernel (vm86) and what never gives the same answer twice is left out. Status 3: there is no way to the
# sources here. Wants gcc -m32, perl, and apt-get with the archive's keys; no rights.
set -euo pipefail

folder=$(mkdir -p "${1:?a folder}" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unavailable() {
  echo "$*"
  exit 3
}

fetch_sources() {
  command -v apt-get >/dev/null || unavailable 'there is no apt-get here'
  local release=bookworm
  [ -r /etc/os-release ] && release=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-bookworm}" || echo bookworm)
  mkdir -p "$work"/apt/lists/partial "$work"/apt/cache/archives/partial
  echo "deb-src http://deb.debian.org/debian $release main" >"$work/apt/sources.list"
  # A state of its own: what this machine's apt knows stays as it is.
  local options=(-qq -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o Acquire::Retries=1 -o Acquire::http::Timeout=20
    -o APT::Sandbox::User=)
  (cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" source --download-only valgrind qemu) \
    >"$work/log" 2>&1 </dev/null || unavailable "the Debian archive has no sources for us: $(tail -n 1 "$work/log")"
  local wanted=('*/none/tests/x86' '*/memcheck/tests/x86' '*/memcheck/tests/common' 'valgrind-*/tests/*.h' 'valgrind-*/include/valgrind.h'
    '*/memcheck/memcheck.h' '*/tests/tcg/i386' '*/tests/tcg/multiarch')
  local archive
  for archive in "$work"/*.orig.tar.*; do
    tar -C "$work" -xf "$archive" --wildcards "${wanted[@]}" 2>/dev/null || true # each archive has some of these
  done
}

# What a program forgets to set is zero, and so the same everywhere.
common=(-m32 -static -s -O1 -fno-pie -no-pie -fno-stack-protector -ftrivial-auto-var-init=zero -w)

# data_is_code NAME: without a header that asks for it, a program of old whose data is code cannot run where pages know better.
data_is_code() {
  perl -e 'my $name = shift; local $/; open my $file, "+<", $name or die; binmode $file; my $bytes = <$file>;
    my ($headers, $size, $count) = (unpack("V", substr $bytes, 28, 4), unpack "vv", substr $bytes, 42, 4);
    for my $at (map { $headers + $_ * $size } 0 .. $count - 1) {
      next if unpack("V", substr $bytes, $at, 4) != 0x6474e551;
      seek $file, $at, 0; print $file pack "V", 0;
    }' "$folder/bin/$1"
}

# compile NAME OPTION…: a program that does not compile is told and left out.
compile() {
  local name=$1
  shift
  if ! gcc "${common[@]}" -o "$folder/bin/$name" "$@" -lm -lpthread >"$work/log" 2>&1; then
    echo "$name does not compile: $(grep -m 1 error "$work/log" || true)"
    return 1
  fi
}

add() {
  local command=$1
  shift
  compile "${command%% *}" "$@" && echo "bin/$command" >>"$folder/commands"
}

build_valgrind() {
  local top x86 memcheck name
  top=$(echo "$work"/valgrind-*)
  x86=$top/none/tests/x86
  memcheck=$top/memcheck/tests/x86
  local options=(-mmmx -msse -I"$top" -I"$top/include" -I"$top/memcheck" -I"$x86")
  touch "$top/config.h"
  for name in basic cmov fpu mmx mmxext sse sse2 sse3; do
    perl "$x86/gen_insn_test.pl" <"$x86/insn_$name.def" >"$x86/insn_$name.c"
    add "insn_$name" "${options[@]}" -msse3 "$x86/insn_$name.c" || true
  done
  for name in aad_aam allexec badseg bswapw bt_everything bt_literal bug125959-x86 bug126147-x86 bug132813-x86 bug135421-x86 \
    bug137714-x86 bug152818-x86 cet_nops cmpxchg8b cse_fail faultstatus fcmovnu fpu_lazy_eflags fxtract getseg incdec_alt int \
    jcxz lahf looper movx pushpopseg sbbmisc shift_ndep smc1 x86locked x87trigOOR xadd; do
    add "$name" "${options[@]}" "$x86/$name.c" || true
  done
  data_is_code smc1
  for name in bug152022 espindola2 fpeflags fprem 'fxsave x' more_x86_fp pushfw_x86 pushpopmem 'sse_memory sse1' xor-undef-x86; do
    add "$name" "${options[@]}" -msse2 "$memcheck/${name%% *}.c" || true
  done
  echo 'bin/sse_memory sse2' >>"$folder/commands"
  add pushfpopf "${options[@]}" "$memcheck"/pushfpopf_c.c "$memcheck"/pushfpopf_s.S || true
  add tronical "${options[@]}" "$memcheck/tronical.S" || true
  add sh-mem-vec128 "${options[@]}" -msse2 "$memcheck/sh-mem-vec128.c" || true
}

build_qemu() {
  local top i386 multiarch name
  top=$(echo "$work"/qemu-*)/tests/tcg
  i386=$top/i386
  multiarch=$top/multiarch
  local options=(-I"$top" -I"$i386" -I"$multiarch" -D_GNU_SOURCE)
  sed -i 's/^#define TEST_SEGS$//' "$i386/test-i386.c" # segments of an LDT, which no lguest Guest has
  add test-i386 "${options[@]}" "$i386"/test-i386.c "$i386"/test-i386-code16.S "$i386"/test-i386-vm86.S || true
  for name in f2xm1 fbstp fisttp fldcst fp-exceptions fpatan fscale fxam fxtract fyl2x fyl2xp1 pseudo-denormal \
    snan-convert; do
    add "test-i386-$name" "${options[@]}" "$i386/test-i386-$name.c" || true
  done
  for name in float_convd float_convs float_madds; do
    add "$name" "${options[@]}" -msse2 "$multiarch/$name.c" "$multiarch/libs/float_helpers.c" || true
  done
  for name in overflow sha1 sha512 threadcount sigbus test-mmap; do
    add "$name" "${options[@]}" -msse2 "$multiarch/$name.c" || true
  done
}

fetch_sources
rm -rf "$folder/bin" "$folder/commands"
mkdir -p "$folder/bin"
build_valgrind
build_qemu
echo "$(wc -l <"$folder/commands") commands in $folder"
