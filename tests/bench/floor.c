// SPDX-License-Identifier: GPL-2.0-or-later
// The least that a program can do: the elements of two maps as one bare batch, read from nowhere, written with libmnl.
//
//	floor load PAIRS [counters] [internal]		the table, the maps, all pairs; the set that the native engine has besides
//	floor change PAIRS				so many pairs, from the first one on, get other external addresses
//	floor clear					the table goes

#include <arpa/inet.h>
#include <err.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INTERNAL = 10 << 24 | 16 << 16, EXTERNAL = 100 << 24 | 64 << 16, MOVED = 1 << 21, NONE = 0 };

// A nested list of attributes has 64 KiB at most.
enum { ELEMENTS_IN_MESSAGE = 2000, ROOM_OF_ELEMENT = 32, ROOM_OF_MESSAGE = 256 };

// nft's number of its type ipv4_addr.
enum { ADDRESS_TYPE = 7 };

static const char table[] = "floor";
static const char int2ext[] = "int2ext", ext2int[] = "ext2int", internal[] = "internal";

static char *batch;
static size_t used;

static struct nlmsghdr *message(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
	struct nlmsghdr *header = mnl_nlmsg_put_header(batch + used);
	struct nfgenmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	body->nfgen_family = family;
	body->res_id = htons(resource);
	return header;
}

static struct nlmsghdr *nf_tables(uint16_t type, uint16_t flags) {
	return message(NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_IPV4, 0);
}

static void end(struct nlmsghdr *header) {
	used += header->nlmsg_len;
}

static void add_set(const char *name, uint32_t flags, uint32_t size, bool counters) {
	struct nlmsghdr *header = nf_tables(NFT_MSG_NEWSET, NLM_F_CREATE);
	mnl_attr_put_strz(header, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(header, NFTA_SET_NAME, name);
	mnl_attr_put_u32(header, NFTA_SET_FLAGS, htonl(flags));
	mnl_attr_put_u32(header, NFTA_SET_KEY_TYPE, htonl(ADDRESS_TYPE));
	mnl_attr_put_u32(header, NFTA_SET_KEY_LEN, htonl(sizeof(struct in_addr)));
	if (flags & NFT_SET_MAP) {
		mnl_attr_put_u32(header, NFTA_SET_DATA_TYPE, htonl(ADDRESS_TYPE));
		mnl_attr_put_u32(header, NFTA_SET_DATA_LEN, htonl(sizeof(struct in_addr)));
	}
	mnl_attr_put_u32(header, NFTA_SET_ID, htonl(1));
	struct nlattr *description = mnl_attr_nest_start(header, NFTA_SET_DESC);
	mnl_attr_put_u32(header, NFTA_SET_DESC_SIZE, htonl(size));
	mnl_attr_nest_end(header, description);
	if (counters) {
		struct nlattr *expression = mnl_attr_nest_start(header, NFTA_SET_EXPR);
		mnl_attr_put_strz(header, NFTA_EXPR_NAME, "counter");
		mnl_attr_nest_end(header, expression);
	}
	end(header);
}

static void put_address(struct nlmsghdr *header, uint16_t type, uint32_t address) {
	struct nlattr *nest = mnl_attr_nest_start(header, type);
	mnl_attr_put_u32(header, NFTA_DATA_VALUE, htonl(address));
	mnl_attr_nest_end(header, nest);
}

// Adds or deletes elements whose keys and data, unless there is none, count up from the ones given.
static void put_elements(uint16_t type, const char *map, uint32_t key, uint32_t data, uint32_t count) {
	while (count) {
		struct nlmsghdr *header = nf_tables(type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
		mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, table);
		mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, map);
		struct nlattr *list = mnl_attr_nest_start(header, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (int room = ELEMENTS_IN_MESSAGE; room && count; --room, --count) {
			struct nlattr *element = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
			put_address(header, NFTA_SET_ELEM_KEY, key++);
			if (data != NONE)
				put_address(header, NFTA_SET_ELEM_DATA, data++);
			mnl_attr_nest_end(header, element);
		}
		mnl_attr_nest_end(header, list);
		end(header);
	}
}

static void load(uint32_t pairs, bool counters, bool with_internal) {
	struct nlmsghdr *header = nf_tables(NFT_MSG_NEWTABLE, NLM_F_CREATE);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, table);
	end(header);
	add_set(int2ext, NFT_SET_MAP, pairs, counters);
	add_set(ext2int, NFT_SET_MAP, pairs, counters);
	put_elements(NFT_MSG_NEWSETELEM, int2ext, INTERNAL, EXTERNAL, pairs);
	put_elements(NFT_MSG_NEWSETELEM, ext2int, EXTERNAL, INTERNAL, pairs);
	if (with_internal) {
		add_set(internal, 0, pairs, false);
		put_elements(NFT_MSG_NEWSETELEM, internal, INTERNAL, NONE, pairs);
	}
}

static void change(uint32_t pairs) {
	put_elements(NFT_MSG_DELSETELEM, int2ext, INTERNAL, NONE, pairs);
	put_elements(NFT_MSG_DELSETELEM, ext2int, EXTERNAL, NONE, pairs);
	put_elements(NFT_MSG_NEWSETELEM, int2ext, INTERNAL, EXTERNAL + MOVED, pairs);
	put_elements(NFT_MSG_NEWSETELEM, ext2int, EXTERNAL + MOVED, INTERNAL, pairs);
}

static void clear(void) {
	struct nlmsghdr *header = nf_tables(NFT_MSG_DELTABLE, 0);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, table);
	end(header);
}

// The answer to the batch's begin comes first, an error after it; nothing more means that all is well.
static void commit(void) {
	struct mnl_socket *netlink = mnl_socket_open(NETLINK_NETFILTER);
	if (!netlink || mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	const int room = (int)used + (1 << 20);
	setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (mnl_socket_sendto(netlink, batch, used) < 0)
		err(1, "send");
	char answer[1 << 13];
	for (;;) {
		const ssize_t length = recv(mnl_socket_get_fd(netlink), answer, sizeof(answer), MSG_DONTWAIT);
		if (length < 0)
			break;
		if (mnl_cb_run(answer, (size_t)length, 0, 0, NULL, NULL) < 0)
			err(1, "the kernel refused");
	}
	mnl_socket_close(netlink);
}

static bool asked(const char *option, int argc, char **argv) {
	return argc > 0 && (!strcmp(argv[0], option) || asked(option, argc - 1, argv + 1));
}

int main(int argc, char **argv) {
	const char *step = argc > 1 ? argv[1] : "";
	const uint32_t pairs = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
	const size_t elements = 4 * (size_t)pairs;
	batch = malloc(elements * ROOM_OF_ELEMENT + (elements / ELEMENTS_IN_MESSAGE + 16) * ROOM_OF_MESSAGE);
	if (!batch)
		err(1, "malloc");

	end(message(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES));
	if (!strcmp(step, "load"))
		load(pairs, asked("counters", argc, argv), asked("internal", argc, argv));
	else if (!strcmp(step, "change"))
		change(pairs);
	else if (!strcmp(step, "clear"))
		clear();
	else
		errx(2, "usage: floor load PAIRS [counters] [internal] | change PAIRS | clear");
	end(message(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES));
	commit();
	return 0;
}
