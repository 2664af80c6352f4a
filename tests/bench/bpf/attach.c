// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load translate.bpf.o with the pairs of standard input, one a line as in a CSV file,
 * and let each device's packets through it.
 *
 *	attach OBJECT by_tc|by_xdp PAIRS DEVICE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

struct other {
	uint32_t address;
	uint32_t number;
};

static void need(int well, const char *what)
{
	if (well)
		return;
	perror(what);
	exit(1);
}

static struct bpf_map *find_map(struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	need(map != NULL, name);
	return map;
}

static struct bpf_object *load(const char *path, const char *name, unsigned pairs)
{
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *program;

	need(object != NULL, path);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	bpf_map__set_max_entries(find_map(object, "outbound"), pairs);
	bpf_map__set_max_entries(find_map(object, "inbound"), pairs);
	bpf_map__set_max_entries(find_map(object, "counts"), 2 * pairs);
	need(!bpf_object__load(object), "load");
	return object;
}

static void fill(struct bpf_object *object)
{
	int outbound = bpf_map__fd(find_map(object, "outbound"));
	int inbound = bpf_map__fd(find_map(object, "inbound"));
	char internal[INET_ADDRSTRLEN], external[INET_ADDRSTRLEN];
	struct other out = { .number = 0 }, in = { .number = 1 };

	while (scanf("%15[^,],%15s\n", internal, external) == 2) {
		need(inet_pton(AF_INET, internal, &in.address) == 1, internal);
		need(inet_pton(AF_INET, external, &out.address) == 1, external);
		need(!bpf_map_update_elem(outbound, &in.address, &out, BPF_NOEXIST), internal);
		need(!bpf_map_update_elem(inbound, &out.address, &in, BPF_NOEXIST), external);
		out.number += 2;
		in.number += 2;
	}
}

static void attach_tc(int program, int device)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = device, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program);

	need(!bpf_tc_hook_create(&hook), "clsact");
	need(!bpf_tc_attach(&hook, &options), "tc");
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	int program;

	if (argc < 5)
		return 2;
	object = load(argv[1], argv[2], strtoul(argv[3], NULL, 10));
	fill(object);
	program = bpf_program__fd(bpf_object__find_program_by_name(object, argv[2]));
	for (char **name = argv + 4; *name; name++) {
		int device = if_nametoindex(*name);

		need(device, *name);
		if (!strcmp(argv[2], "by_tc"))
			attach_tc(program, device);
		else
			need(!bpf_xdp_attach(device, program, XDP_FLAGS_SKB_MODE, NULL), "xdp");
	}
	return 0;
}
