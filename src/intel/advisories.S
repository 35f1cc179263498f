/* The embedded database as it is, in read-only memory that is loaded when it is touched. */
        .section .rodata
        .balign 4096
        .globl sekisho_advisories
        .globl sekisho_advisories_end
sekisho_advisories:
        .incbin DATABASE
sekisho_advisories_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits
