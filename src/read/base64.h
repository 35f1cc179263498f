/* Base 64 out of untrusted text (RFC 4648, sections 4 and 5), the ordinary and the URL alphabet mixed at will. */
#ifndef SEKISHO_READ_BASE64_H
#define SEKISHO_READ_BASE64_H

#include "base/buf.h"

/*
 * Appends what the text stands for, up to to->max. Padding at the end is not needed, white space is skipped. False if
 * anything else is in it, if a single letter is left over, or if the buffer is full.
 */
bool base64_decode(struct str text, struct buf *to);

/*
 * The same for armoured text in the middle of something: begins at the text's start and also skips what programs put
 * between the lines of one that they hold as a literal: quotes, commas, plus signs before a line's end, "\n" and "\r"
 * in letters. Stops at the first byte that cannot be of it and returns how many bytes were taken.
 */
size_t base64_decode_armour(struct str text, struct buf *to);

#endif
