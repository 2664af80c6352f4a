// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of ours, made by nfnetlink as a program makes them. */
#include "rule.h"

#include <linux/file.h>
#include <linux/inet.h>
#include <linux/kmod.h>
#include <linux/net.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/sched.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#define ROOM	16384

int shell(const char *command)
{
	char *argv[] = { "/bin/sh", "-c", (char *)command, NULL };
	char *envp[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", NULL };

	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static void put_message(struct sk_buff *skb, int type, int flags, u8 family, u16 resource)
{
	struct nlmsghdr *message = nlmsg_put(skb, 0, 1, type, sizeof(struct nfgenmsg), NLM_F_REQUEST | flags);
	struct nfgenmsg *header = nlmsg_data(message);

	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
}

/* The message that begins at @offset ends here. */
static void end_message(struct sk_buff *skb, unsigned int offset)
{
	nlmsg_end(skb, (struct nlmsghdr *)(skb->data + offset));
}

struct sk_buff *batch_begin(void)
{
	struct sk_buff *batch = alloc_skb(ROOM, GFP_KERNEL);

	if (batch)
		put_message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return batch;
}

/* Text to bytes; return: how many. */
static unsigned int parse_address(const char *text, u8 *address, const char **end)
{
	if (in4_pton(text, -1, address, '/', end))
		return 4;
	return in6_pton(text, -1, address, '/', end) ? 16 : 0;
}

/* Return: the number behind a slash. */
static u32 parse_length(const char *text)
{
	u32 length = 0;

	while (*++text >= '0' && *text <= '9')
		length = 10 * length + *text - '0';
	return length;
}

static void put_map(struct sk_buff *skb, const char *text, void (*spoil)(struct sk_buff *skb))
{
	struct nlattr *nest = nla_nest_start(skb, NFTA_LIST_ELEM);
	const char *slash = strchr(text, '/'), *at = strchr(text, '@'), *end;
	char name[32] = {};
	u8 address[16];
	unsigned int size;

	memcpy(name, text, strcspn(text, "/!@"));
	if (*name)
		nla_put_string(skb, NFTA_SNAT_STATELESS_MAP_NAME, name);
	if (slash && (!at || slash < at))
		nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_PREFIX, htonl(parse_length(slash)));
	nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_FLAGS,
		     htonl(strchr(text, '!') ? NFT_SNAT_STATELESS_MAP_F_NPT : 0));
	if (at) {
		size = parse_address(at + 1, address, &end);
		nla_put(skb, NFTA_SNAT_STATELESS_MAP_WITHIN, size, address);
		nla_put_be32(skb, NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH, htonl(parse_length(end)));
	}
	if (spoil)
		spoil(skb);
	nla_nest_end(skb, nest);
}

static void put_maps(struct sk_buff *skb, int type, const char * const *texts, void (*spoil)(struct sk_buff *skb))
{
	struct nlattr *nest;

	if (!*texts)
		return;
	nest = nla_nest_start(skb, type);
	for (; *texts; texts++, spoil = NULL)
		put_map(skb, *texts, spoil);
	nla_nest_end(skb, nest);
}

static void put_prefixes(struct sk_buff *skb, int type, const char * const *texts)
{
	struct nlattr *nest, *inner;
	unsigned int size;
	const char *end;
	u8 address[16];

	if (!*texts)
		return;
	nest = nla_nest_start(skb, type);
	for (; *texts; texts++) {
		inner = nla_nest_start(skb, NFTA_LIST_ELEM);
		size = parse_address(*texts, address, &end);
		nla_put(skb, NFTA_SNAT_STATELESS_PREFIX_ADDRESS, size, address);
		if (*end)
			nla_put_be32(skb, NFTA_SNAT_STATELESS_PREFIX_LENGTH, htonl(parse_length(end)));
		nla_nest_end(skb, inner);
	}
	nla_nest_end(skb, nest);
}

static void put_via(struct sk_buff *skb, const char * const *names)
{
	struct nlattr *nest;

	if (!*names)
		return;
	nest = nla_nest_start(skb, NFTA_SNAT_STATELESS_VIA);
	for (; *names; names++)
		nla_put_string(skb, NFTA_LIST_ELEM, *names);
	nla_nest_end(skb, nest);
}

static void put_attributes(struct sk_buff *skb, const struct rule *rule)
{
	unsigned int size;
	const char *end;
	u8 address[16];

	if (rule->field != RULE_NO_FIELD)
		nla_put_be32(skb, NFTA_SNAT_STATELESS_FIELD, htonl(rule->field));
	put_maps(skb, NFTA_SNAT_STATELESS_MAPS, rule->maps, rule->in_map ? rule->spoil : NULL);
	nla_put_be32(skb, NFTA_SNAT_STATELESS_FLAGS, htonl(rule->flags));
	put_maps(skb, NFTA_SNAT_STATELESS_ELSE_MAPS, rule->otherwise, NULL);
	put_via(skb, rule->via);
	put_prefixes(skb, NFTA_SNAT_STATELESS_UNLESS, rule->unless);
	put_prefixes(skb, NFTA_SNAT_STATELESS_ONLY, rule->only);
	if (rule->errors_as) {
		size = parse_address(rule->errors_as, address, &end);
		nla_put(skb, NFTA_SNAT_STATELESS_ERRORS_AS, size, address);
	}
	if (rule->spoil && !rule->in_map)
		rule->spoil(skb);
}

#define MESSAGE(type)	(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_##type)

static void put_place(struct sk_buff *skb, const struct rule *rule)
{
	nla_put_string(skb, NFTA_RULE_TABLE, "t");
	nla_put_string(skb, NFTA_RULE_CHAIN, rule->chain);
}

void batch_add(struct sk_buff *batch, const struct rule *rule)
{
	struct nlattr *list, *one, *data;
	unsigned int begin = batch->len;

	put_message(batch, MESSAGE(NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, rule->family, 0);
	put_place(batch, rule);
	list = nla_nest_start(batch, NFTA_RULE_EXPRESSIONS);
	one = nla_nest_start(batch, NFTA_LIST_ELEM);
	nla_put_string(batch, NFTA_EXPR_NAME, NFT_SNAT_STATELESS_NAME);
	data = nla_nest_start(batch, NFTA_EXPR_DATA);
	put_attributes(batch, rule);
	nla_nest_end(batch, data);
	nla_nest_end(batch, one);
	nla_nest_end(batch, list);
	end_message(batch, begin);
}

void batch_flush(struct sk_buff *batch, const struct rule *rule)
{
	unsigned int begin = batch->len;

	put_message(batch, MESSAGE(DELRULE), NLM_F_ACK, rule->family, 0);
	put_place(batch, rule);
	end_message(batch, begin);
}

/* Capabilities are asked of whoever opened a socket's file. */
static struct file *netlink_open(struct socket **sock)
{
	struct file *file;
	int err = sock_create_kern(&init_net, PF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, sock);

	if (err)
		return ERR_PTR(err);
	file = sock_alloc_file(*sock, 0, NULL);
	return file;
}

/* Hand all answers to @take, until there are no more or it has found an error. */
static int netlink_receive(struct socket *sock, int (*take)(struct nlmsghdr *message, void *data), void *data)
{
	struct msghdr header = {};
	struct nlmsghdr *message;
	struct kvec vector;
	int length, err = 0;
	void *buffer = kmalloc(ROOM, GFP_KERNEL);

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		vector = (struct kvec){ buffer, ROOM };
		length = kernel_recvmsg(sock, &header, &vector, 1, ROOM, MSG_DONTWAIT);
		if (length <= 0)
			break;
		for (message = buffer; nlmsg_ok(message, length); message = nlmsg_next(message, &length)) {
			int one = message->nlmsg_type == NLMSG_ERROR ?
				  ((struct nlmsgerr *)nlmsg_data(message))->error : take ? take(message, data) : 0;

			if (!err)
				err = one;
		}
	}
	kfree(buffer);
	return err;
}

/* Frees @request. */
static int netlink_ask(struct sk_buff *request, unsigned int *fail,
		       int (*take)(struct nlmsghdr *message, void *data), void *data)
{
	struct kvec vector = { request->data, request->len };
	struct msghdr header = {};
	struct socket *sock;
	struct file *file = netlink_open(&sock);
	int err;

	if (IS_ERR(file)) {
		kfree_skb(request);
		return PTR_ERR(file);
	}
	if (fail)
		current->fail_nth = *fail;
	err = kernel_sendmsg(sock, &header, &vector, 1, request->len);
	if (fail) {
		*fail = current->fail_nth;
		current->fail_nth = 0;
	}
	if (err >= 0)
		err = netlink_receive(sock, take, data);
	fput(file);
	kfree_skb(request);
	return err;
}

int batch_send(struct sk_buff *batch, unsigned int *fail)
{
	unsigned int begin = batch->len;

	put_message(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end_message(batch, begin);
	return netlink_ask(batch, fail, NULL, NULL);
}

int rule_replace(const struct rule *rule)
{
	struct sk_buff *batch = batch_begin();

	if (!batch)
		return -ENOMEM;
	batch_flush(batch, rule);
	batch_add(batch, rule);
	return batch_send(batch, NULL);
}

/* Of a rule with one expression. */
static int take_data(struct nlmsghdr *message, void *told)
{
	const struct nlattr *list, *one, *data;

	list = nlmsg_find_attr(message, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS);
	one = list ? nla_find(nla_data(list), nla_len(list), NFTA_LIST_ELEM) : NULL;
	data = one ? nla_find(nla_data(one), nla_len(one), NFTA_EXPR_DATA) : NULL;
	if (data)
		skb_put_data(told, nla_data(data), nla_len(data));
	return 0;
}

struct sk_buff *rule_dump(const struct rule *rule, bool reset)
{
	struct sk_buff *request = alloc_skb(ROOM, GFP_KERNEL), *told = alloc_skb(ROOM, GFP_KERNEL);

	if (!request || !told)
		goto fail;
	put_message(request, reset ? MESSAGE(GETRULE_RESET) : MESSAGE(GETRULE), NLM_F_DUMP, rule->family, 0);
	put_place(request, rule);
	end_message(request, 0);
	if (netlink_ask(request, NULL, take_data, told)) {
		kfree_skb(told);
		return NULL;
	}
	return told;
fail:
	kfree_skb(request);
	kfree_skb(told);
	return NULL;
}

bool rule_is_told(const struct rule *rule, const struct sk_buff *told)
{
	struct sk_buff *asked = alloc_skb(ROOM, GFP_KERNEL);
	const struct nlattr *attr, *found;
	bool same = true;
	int rest;

	if (!asked)
		return false;
	put_attributes(asked, rule);
	nla_for_each_attr(attr, (struct nlattr *)asked->data, asked->len, rest) {
		found = nla_find((struct nlattr *)told->data, told->len, nla_type(attr));
		same &= found && nla_len(found) == nla_len(attr) &&
			!memcmp(nla_data(found), nla_data(attr), nla_len(attr));
	}
	kfree_skb(asked);
	return same;
}

u64 rule_count(const struct sk_buff *told, enum snat_reason reason)
{
	const struct nlattr *counts, *one;

	counts = nla_find((struct nlattr *)told->data, told->len, NFTA_SNAT_STATELESS_COUNTS);
	one = counts ? nla_find(nla_data(counts), nla_len(counts), NFTA_SNAT_STATELESS_COUNT_MALFORMED +
				reason - SNAT_MALFORMED) : NULL;
	return one ? be64_to_cpu(nla_get_be64(one)) : U64_MAX;
}
