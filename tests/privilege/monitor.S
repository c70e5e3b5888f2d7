/*
 * The ring 0 of the privilege tests on an emulated PC: prepares each case of its module, goes out to ring 1 or 3, and writes
 * what came back to the debug console. qemu.ts says how a case and an answer are laid out. Multiboot; nothing is needed
 * from the firmware.
 */
        .set    RAM, 0x400000           # physical; the cases see it at 0
        .set    RAM_BYTES, 0x10000
        .set    MONITOR_CS, 0x50        # LGUEST_CS, in whose place the monitor is
        .set    MONITOR_DS, 0x58
        .set    TSS, 0x80
        .set    DEBUG_CONSOLE, 0xe9
        .set    EXIT_PORT, 0xf4
        .set    SUPERVISOR, 0x63        # present, writable, accessed, dirty
        .set    EVERYBODY, 0x67
        .set    LARGE, 0x80
        .set    CR0, 0x80050033         # paging, alignment, write protection, numeric errors, protection
        .set    CR4_PSE, 0x10

        .text
        .balign 4
        .long   0x1badb002, 0, -0x1badb002
        .globl  start
start:  cld
        mov     $stack, %esp
        mov     24(%ebx), %eax          # the first module
        mov     (%eax), %eax
        mov     %eax, record
        mov     $0xff, %al              # no interrupts from devices
        out     %al, $0x21
        out     %al, $0xa1

        # A directory of two tables: 4 KiB pages for the cases and the monitor, one large page for RAM.
        movl    $table + EVERYBODY, directory
        movl    $RAM + LARGE + SUPERVISOR, directory + 4
        mov     $0x100, %ecx            # from 1 MiB on everything is where it is
1:      mov     %ecx, %eax
        shl     $12, %eax
        or      $SUPERVISOR, %eax
        mov     %eax, table(, %ecx, 4)
        inc     %ecx
        cmp     $0x400, %ecx
        jb      1b
        mov     $directory, %eax
        mov     %eax, %cr3
        mov     $CR4_PSE, %eax
        mov     %eax, %cr4
        mov     $CR0, %eax
        mov     %eax, %cr0

        # Every gate leads to its stub.
        xor     %ecx, %ecx
        mov     $stubs, %eax
2:      mov     %ax, gates(, %ecx, 8)
        movw    $MONITOR_CS, gates + 2(, %ecx, 8)
        movw    $0x8e00, gates + 4(, %ecx, 8)
        mov     %eax, %edx
        shr     $16, %edx
        mov     %dx, gates + 6(, %ecx, 8)
        add     $16, %eax
        inc     %ecx
        cmp     $256, %ecx
        jb      2b

        movl    $stack, tss + 4
        movl    $MONITOR_DS, tss + 8
        movw    $0x68, tss + 102        # no I/O bitmap
        mov     $tss, %eax
        mov     %ax, own_tss + 2
        shr     $16, %eax
        mov     %al, own_tss + 4
        mov     record, %esi
        call    load_descriptors
        lgdt    gdt_pointer
        lidt    idt_pointer
        ljmp    $MONITOR_CS, $3f
3:      mov     $MONITOR_DS, %eax
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        mov     $TSS, %eax
        ltr     %ax
        xor     %eax, %eax
        lldt    %ax                     # no LDT

next:   mov     $stack, %esp
        mov     record, %esi
        cmpl    $0, (%esi)
        je      finished
        call    load_descriptors
        mov     $table, %edi
        mov     $16, %ecx
        rep movsl
        lodsl
        mov     %eax, tss + 16
        lodsl
        mov     %eax, tss + 12

        push    %esi
        mov     $gates, %esi
        mov     $idt, %edi
        mov     $512, %ecx
        rep movsl
        pop     %esi
        lodsl
        mov     %eax, %ecx
4:      jecxz   6f
        lodsl
        mov     %eax, %ebx
        lodsl
        mov     %eax, %edx
        lodsl
        mov     %edx, %edi
        shr     $16, %edi
        cmp     $MONITOR_CS, %edi
        jne     5f
        mov     gates(, %ebx, 8), %dx   # the case does not know where the stub is
        mov     gates + 4(, %ebx, 8), %edi
        and     $0xffff0000, %edi
        and     $0xffff, %eax
        or      %edi, %eax
5:      mov     %edx, idt(, %ebx, 8)
        mov     %eax, idt + 4(, %ebx, 8)
        dec     %ecx
        jmp     4b

6:      xor     %eax, %eax
        mov     $RAM, %edi
        mov     $RAM_BYTES / 4, %ecx
        rep stosl
        lodsl
        mov     %eax, %ebx
7:      test    %ebx, %ebx
        jz      8f
        lodsl
        lea     RAM(%eax), %edi
        lodsl
        mov     %eax, %ecx
        rep movsb
        add     $3, %esi
        and     $~3, %esi
        dec     %ebx
        jmp     7b
8:      mov     %esi, %edx
        mov     $RAM, %esi
        mov     $RAM + RAM_BYTES, %edi
        mov     $RAM_BYTES / 4, %ecx
        rep movsl
        mov     %cr3, %eax
        mov     %eax, %cr3
        lea     17 * 4(%edx), %eax
        mov     %eax, record
        mov     %edx, %esp              # what is left of the record are the registers
        pop     %gs
        pop     %fs
        pop     %es
        pop     %ds
        popal
        iret

# The descriptors of the record at %esi, behind its first word.
load_descriptors:
        add     $4, %esi
        mov     $gdt, %edi
        mov     $64, %ecx
        rep movsl
        mov     own_tss, %eax
        mov     %eax, gdt + TSS
        mov     own_tss + 4, %eax
        mov     %eax, gdt + TSS + 4
        ret

        .balign 16
stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        .if     (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17)
        .else
        push    $0
        .endif
        pushl   $vector
        jmp     trapped
        .set    vector, vector + 1
        .endr

trapped:
        pushal
        push    %ds
        push    %es
        push    %fs
        push    %gs
        cld
        mov     $MONITOR_DS, %eax
        mov     %eax, %ds
        mov     %eax, %es
        testb   $3, 60(%esp)            # cs
        jz      failed
        mov     %cr2, %eax
        push    %eax
        mov     %esp, %esi
        mov     $20 * 4, %ecx
        mov     $DEBUG_CONSOLE, %edx
        rep outsb
        mov     $table, %esi
        mov     $16 * 4, %ecx
        rep outsb
        xor     %ebx, %ebx
1:      mov     RAM(%ebx), %eax
        cmp     RAM + RAM_BYTES(%ebx), %eax
        je      2f
        mov     %ebx, change
        mov     %eax, change + 4
        mov     $change, %esi
        mov     $8, %ecx
        rep outsb
2:      add     $4, %ebx
        cmp     $RAM_BYTES, %ebx
        jb      1b
        mov     $minus_one, %esi
        mov     $4, %ecx
        rep outsb
        jmp     next

finished:
        xor     %eax, %eax
        out     %al, $EXIT_PORT
failed: mov     $1, %al                 # a trap in ring 0: the monitor is wrong
        out     %al, $EXIT_PORT
        hlt

        .data
        .balign 4
minus_one:      .long -1
own_tss:        .word 0x67, 0, 0x8900, 0
gdt_pointer:    .word 255
                .long gdt
idt_pointer:    .word 2047
                .long idt

        .bss
        .balign 4096
directory:      .skip 4096
table:          .skip 4096
gdt:            .skip 256
idt:            .skip 2048
gates:          .skip 2048
tss:            .skip 104
record:         .skip 4
change:         .skip 8
                .skip 4096
stack:
