/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What MUTANT() is in the module: whether its parameter "mutant" is that number.
 * Whoever comes by is noted in its parameter "reached".
 */
#ifndef STATNAT_MUTANT_H
#define STATNAT_MUTANT_H

#include <linux/types.h>

#define MUTANTS 10000

extern int snat_mutant;
extern u8 snat_reached[MUTANTS];

static inline bool snat_mutant_is(int number)
{
	snat_reached[number] = 1;
	return snat_mutant == number;
}

#define MUTANT(number) (snat_mutant_is(number))

#endif
