/* See guard-race.c: ends with 42 if the byte after the marker makes it the marker of a malware rule, else with 7. */
        .globl _start
        .text
_start:
        movzbl  last(%rip), %eax
        movl    $7, %edi
        cmpb    $'g', %al
        jne     1f
        movl    $42, %edi
1:      movl    $60, %eax
        syscall
        .data
        .ascii  "--donate-"
        .ascii  "level donate."
        .ascii  "v2.xmri"
last:   .byte   'G'
        .section .note.GNU-stack, "", @progbits
