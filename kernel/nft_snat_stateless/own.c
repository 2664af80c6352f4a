// SPDX-License-Identifier: GPL-2.0-only
/* The addresses of this machine itself, counted as they come and go. */

#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/rtnetlink.h>
#include <linux/spinlock.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "own.h"

u16 snat_own_counts_ipv4[1 << SNAT_OWN_BITS] __read_mostly;
u16 snat_own_counts_ipv6[1 << SNAT_OWN_BITS] __read_mostly;

bool snat_ipv4_is_own(const struct nft_pktinfo *pkt, __be32 ip)
{
	const struct net_device *dev = nft_in(pkt) ?: nft_out(pkt);
	unsigned int type = inet_addr_type_dev_table(nft_net(pkt), dev, ip);

	return type == RTN_LOCAL || type == RTN_BROADCAST;
}

/* Addresses of IPv6 also come where no RTNL is held. */
static DEFINE_SPINLOCK(snat_own_lock);

/* Only a count of 0 means something, so one that is full stays full. */
static void snat_own_change(u16 *count, int by)
{
	spin_lock_bh(&snat_own_lock);
	if (*count != U16_MAX)
		WRITE_ONCE(*count, *count + by);
	spin_unlock_bh(&snat_own_lock);
}

/* The address, and those for all of its network, as fib_add_ifaddr() has it. */
static void snat_own_change_ipv4(const struct in_ifaddr *ifa, int by)
{
	snat_own_change(snat_own_count_ipv4(ifa->ifa_local), by);
	if (ifa->ifa_broadcast)
		snat_own_change(snat_own_count_ipv4(ifa->ifa_broadcast), by);
	if (ifa->ifa_prefixlen < 31) {
		__be32 network = ifa->ifa_address & ifa->ifa_mask;

		snat_own_change(snat_own_count_ipv4(network), by);
		snat_own_change(snat_own_count_ipv4(network | ~ifa->ifa_mask),
				by);
	}
}

static void snat_own_change_ipv6(const struct inet6_ifaddr *ifa, int by)
{
	snat_own_change(snat_own_count_ipv6((const void *)&ifa->addr), by);
}

/* NETDEV_UP and NETDEV_DOWN are all that is said of addresses. */
static int snat_own_by(unsigned long event)
{
	return event == NETDEV_UP ? 1 : event == NETDEV_DOWN ? -1 : 0;
}

/*
 * When a secondary address becomes the primary one it is said to be up once more,
 * and counted once more: that costs a look into the table.
 */
static int snat_own_event_ipv4(struct notifier_block *block,
			       unsigned long event, void *address)
{
	snat_own_change_ipv4(address, snat_own_by(event));
	return NOTIFY_DONE;
}

static int snat_own_event_ipv6(struct notifier_block *block,
			       unsigned long event, void *address)
{
	snat_own_change_ipv6(address, snat_own_by(event));
	return NOTIFY_DONE;
}

static struct notifier_block snat_own_notifier_ipv4 = {
	.notifier_call = snat_own_event_ipv4,
};

static struct notifier_block snat_own_notifier_ipv6 = {
	.notifier_call = snat_own_event_ipv6,
};

static void snat_own_count_device_ipv4(const struct net_device *dev)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		snat_own_change_ipv4(ifa, 1);
}

static void snat_own_count_device_ipv6(const struct net_device *dev)
{
	struct inet6_dev *in6_dev = __in6_dev_get(dev);
	const struct inet6_ifaddr *ifa;

	if (!in6_dev)
		return;
	read_lock_bh(&in6_dev->lock);
	list_for_each_entry(ifa, &in6_dev->addr_list, if_list)
		snat_own_change_ipv6(ifa, 1);
	read_unlock_bh(&in6_dev->lock);
}

static void snat_own_count_all(void)
{
	const struct net_device *dev;
	const struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net)
		for_each_netdev_rcu(net, dev) {
			snat_own_count_device_ipv4(dev);
			snat_own_count_device_ipv6(dev);
		}
	rcu_read_unlock();
}

int snat_own_register(void)
{
	int err;

	/*
	 * With the RTNL none goes in between.  One of IPv6 may come, which is
	 * counted twice then.
	 */
	rtnl_lock();
	err = register_inetaddr_notifier(&snat_own_notifier_ipv4);
	if (err)
		goto unlock;
	err = register_inet6addr_notifier(&snat_own_notifier_ipv6);
	if (err)
		unregister_inetaddr_notifier(&snat_own_notifier_ipv4);
	else
		snat_own_count_all();
unlock:
	rtnl_unlock();
	return err;
}

void snat_own_unregister(void)
{
	unregister_inet6addr_notifier(&snat_own_notifier_ipv6);
	unregister_inetaddr_notifier(&snat_own_notifier_ipv4);
}
