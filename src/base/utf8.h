/* UTF-8 (RFC 3629), and what of Unicode must not reach a terminal as it is. */
#ifndef SEKISHO_BASE_UTF8_H
#define SEKISHO_BASE_UTF8_H

#include "base/str.h"

#include <stdio.h>

/* The bytes of the character at the start of s, 1 to 4; 0 if there is none, or it is not well-formed. */
size_t utf8_decode(struct str s, uint32_t *ret);

/* Controls (C1 too: U+009B starts an escape sequence), line separators, what is invisible or turns the direction of
 * text. */
bool utf8_is_unsafe(uint32_t c);

/* Writes s for a terminal: bytes of what is unsafe, or not well-formed, stand as \xNN. */
void utf8_print(FILE *to, struct str s);

#endif
