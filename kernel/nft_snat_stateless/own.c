// SPDX-License-Identifier: GPL-2.0-only
/* The addresses of this machine itself, counted as they come and go. */

#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "own.h"

u16 snat_own_counts[1 << SNAT_OWN_BITS] __read_mostly;

bool snat_ipv4_is_own(const struct nft_pktinfo *pkt, __be32 ip)
{
	const struct net_device *dev = nft_in(pkt) ?: nft_out(pkt);
	unsigned int type = inet_addr_type_dev_table(nft_net(pkt), dev, ip);

	return type == RTN_LOCAL || type == RTN_BROADCAST;
}

/* Only a count of 0 means something, so one that is full stays full. */
static void snat_own_change(__be32 ip, int by)
{
	u16 *count = snat_own_count(ip);

	if (*count != U16_MAX)
		WRITE_ONCE(*count, *count + by);
}

/* The address, and those for all of its network, as fib_add_ifaddr() has it. */
static void snat_own_change_all(const struct in_ifaddr *ifa, int by)
{
	snat_own_change(ifa->ifa_local, by);
	if (ifa->ifa_broadcast)
		snat_own_change(ifa->ifa_broadcast, by);
	if (ifa->ifa_prefixlen < 31) {
		snat_own_change(ifa->ifa_address & ifa->ifa_mask, by);
		snat_own_change(ifa->ifa_address | ~ifa->ifa_mask, by);
	}
}

/*
 * Called with the RTNL held.  When a secondary address becomes the primary one
 * it is said to be up once more, and counted once more: that costs a look into
 * the table.
 */
static int snat_own_event(struct notifier_block *block, unsigned long event,
			  void *address)
{
	if (event == NETDEV_UP)
		snat_own_change_all(address, 1);
	else if (event == NETDEV_DOWN)
		snat_own_change_all(address, -1);
	return NOTIFY_DONE;
}

static struct notifier_block snat_own_notifier = {
	.notifier_call = snat_own_event,
};

static void snat_own_count_device(const struct net_device *dev)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		snat_own_change_all(ifa, 1);
}

int snat_own_register(void)
{
	const struct net_device *dev;
	const struct net *net;
	int err;

	/* None comes or goes in between. */
	rtnl_lock();
	err = register_inetaddr_notifier(&snat_own_notifier);
	if (!err) {
		rcu_read_lock();
		for_each_net_rcu(net)
			for_each_netdev_rcu(net, dev)
				snat_own_count_device(dev);
		rcu_read_unlock();
	}
	rtnl_unlock();
	return err;
}

void snat_own_unregister(void)
{
	unregister_inetaddr_notifier(&snat_own_notifier);
}
