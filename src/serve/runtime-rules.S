/* The default rules for the running host, as they stand in data/rules/, joined by the build. */
        .section .rodata
        .globl sekisho_runtime_rules
        .globl sekisho_runtime_rules_end
sekisho_runtime_rules:
        .incbin RULES
sekisho_runtime_rules_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits
