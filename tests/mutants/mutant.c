// SPDX-License-Identifier: GPL-2.0-or-later
/* The parameters by which mutants of the module are chosen, and told about. */
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "mutant.h"

int snat_mutant;
module_param_named(mutant, snat_mutant, int, 0600);

u8 snat_reached[MUTANTS];

/* Numbers, as many as a page has room for; who has read them writes anything. */
static int snat_get_reached(char *text, const struct kernel_param *param)
{
	int number, length = 0;

	for (number = 0; number < MUTANTS && length < 4000; number++)
		if (snat_reached[number])
			length += sprintf(text + length, "%d ", number);
	return length;
}

static int snat_set_reached(const char *text, const struct kernel_param *param)
{
	memset(snat_reached, 0, sizeof(snat_reached));
	return 0;
}

static const struct kernel_param_ops snat_reached_ops = {
	.get = snat_get_reached,
	.set = snat_set_reached,
};
module_param_cb(reached, &snat_reached_ops, NULL, 0600);
