/* Which of some words was meant by one that is none of them. */
#ifndef SEKISHO_BASE_NEAREST_H
#define SEKISHO_BASE_NEAREST_H

/* The candidate nearest to word (for "did you mean"), or NULL if none is near. Candidates end with NULL. */
const char *nearest(const char *word, const char *const *candidates);

#endif
