// SPDX-License-Identifier: GPL-2.0-or-later
// From a plan to a batch.
#include "wire/encoder.hpp"

#include "wire/element_writer.hpp"
#include "wire/statement_writer.hpp"
#include "wire/wire.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace statnat {

namespace {

constexpr std::uint32_t nft_big_endian = 2;  // nft(8)'s number for a byte order; it reads it back to print a set

constexpr std::string_view probe_table = "statnat.probe";

// An attribute's length has 16 bits; a list of elements stays well below, the rest goes into another message.
constexpr std::size_t list_limit = 60000;

// As much as the elements of a plan take if few have a comment or a counter that goes on.
std::size_t room_for(const Plan& plan) {
    std::size_t room = scratch_size;
    for (const Step& step : plan) {
        if (const auto* add = std::get_if<AddElements>(&step)) {
            const std::size_t header = 1 + add->map.elements.size() / 1024;
            room += add->map.elements.size() * (20 + 2 * address_size(add->family)) + header * 128;
        }
    }
    return room;
}

// Writes the messages of each step.
class Encoder {
public:
    Encoder(std::string_view table, std::uint32_t first_sequence) : writer_(first_sequence), table_(table) {
        batch_.table = table_;
        batch_.first_sequence = first_sequence;
    }

    void begin(std::optional<std::uint32_t> generation) {
        nlmsghdr* message = writer_.start_batch(false);
        if (generation) {
            put_number(message, NFNL_BATCH_GENID, *generation);
        }
        finish(message);
    }

    void encode(const Plan& plan) {
        writer_.make_room(room_for(plan));
        for (step_ = 0; step_ < plan.size(); ++step_) {
            std::visit(*this, plan[step_]);
        }
        step_ = Batch::no_step;
    }

    void confirm() { batch_.confirmed = writer_.acknowledge_last(); }

    void end() { finish(writer_.start_batch(true)); }

    Batch take() {
        batch_.bytes = writer_.take();
        return std::move(batch_);
    }

    // add table FAMILY NAME
    void operator()(const AddTable& step) {
        nlmsghdr* message = start(NFT_MSG_NEWTABLE, step.family, NLM_F_CREATE);
        const auto table = owned<TableHandle>(nftnl_table_alloc());
        nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, table_.c_str());
        nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, 0);
        nftnl_table_nlmsg_build_payload(message, table.get());
        finish(message);
    }

    // delete table FAMILY NAME
    void operator()(const DeleteTable& step) {
        nlmsghdr* message = start(NFT_MSG_DELTABLE, step.family, 0);
        put_text(message, NFTA_TABLE_NAME, table_);
        finish(message);
    }

    // add map NAME { type ipv4_addr : ipv4_addr; size CAPACITY; counter; }
    void operator()(const AddMap& step) {
        const auto set = new_set(step.map.name, step.family);
        const auto data = user_data();
        nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER, nft_big_endian);
        if (step.map.values) {
            nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_MAP);
            nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, address_type(step.family));
            nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, address_size(step.family));
            nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_DATABYTEORDER, nft_big_endian);
            nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_DATA_INTERVAL, 0);
        } else {
            nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, 0);
        }
        if (step.map.capacity != 0) {
            nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, step.map.capacity);
        }
        if (step.map.counters) {
            nftnl_set_add_expr(set.get(), owned<ExpressionHandle>(nftnl_expr_alloc("counter")).release());
        }
        finish_set(set, data, step.family);
    }

    // delete map NAME
    void operator()(const DeleteMap& step) { delete_set(step.family, step.map.name); }

    // add element NAME { KEY counter packets N bytes N comment "..." : VALUE, ... }
    void operator()(const AddElements& step) {
        const Elements& elements = step.map.elements;
        const PlainElement plain(step.map, step.family);
        put_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, step.family, step.map.name, elements.size(),
                     [&](nlmsghdr* message, std::size_t index) {
                         if (elements.is_plain(index)) {
                             plain.put(message, elements.row(index));
                         } else {
                             put_element(message, step.map, elements[index]);
                         }
                     });
    }

    // delete element NAME { KEY, ... }
    void operator()(const DeleteElements& step) {
        put_elements(NFT_MSG_DELSETELEM, 0, step.family, step.map.name, step.map.elements.size(),
                     [&](nlmsghdr* message, std::size_t index) { put_key(message, step.map.elements.key(index)); });
    }

    // add set NAME { type ipv4_addr; flags interval; elements = { PREFIX, ... } }
    void operator()(const AddPrefixSet& step) {
        const auto set = new_set(step.set.name, step.family);
        nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_INTERVAL);
        const auto data = user_data();
        nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER, nft_big_endian);
        finish_set(set, data, step.family);
        put_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, step.family, step.set.name, step.set.prefixes.size(),
                     [&](nlmsghdr* message, std::size_t index) { put_interval(message, step.set.prefixes[index]); });
    }

    // add map NAME { type ether_type : verdict; size 1; elements = { ip : continue } }
    void operator()(const AddStandingMap& step) {
        const auto set = new_set(step.map.name, step.family);
        nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_MAP);
        nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, ether_type);
        nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, sizeof(std::uint16_t));
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
        nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, 1);
        const auto data = user_data();
        nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER, nft_big_endian);
        finish_set(set, data, step.family);
        put_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, step.family, step.map.name, 1,
                     [&](nlmsghdr* message, std::size_t) { put_standing(message, step.family); });
    }

    // delete set NAME
    void operator()(const DeleteSet& step) { delete_set(step.family, step.name); }

    // add chain NAME { type filter hook HOOK priority PRIORITY; comment "..."; }
    void operator()(const AddChain& step) {
        nlmsghdr* message = start(NFT_MSG_NEWCHAIN, step.family, NLM_F_CREATE | NLM_F_EXCL);
        const auto chain = owned<ChainHandle>(nftnl_chain_alloc());
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table_.c_str());
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, step.chain.name.c_str());
        if (step.chain.hook) {
            nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, name(step.chain.type).data());
            nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook_number(*step.chain.hook));
            nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, step.chain.priority);
        }
        if (!step.chain.comment.empty()) {
            const auto data = user_data();
            nftnl_udata_put_strz(data.get(), NFTNL_UDATA_CHAIN_COMMENT, step.chain.comment.c_str());
            nftnl_chain_set_data(chain.get(), NFTNL_CHAIN_USERDATA, nftnl_udata_buf_data(data.get()),
                                 nftnl_udata_buf_len(data.get()));
        }
        nftnl_chain_nlmsg_build_payload(message, chain.get());
        finish(message);
        add_rules(step.family, step.chain.name, step.chain.rules);
    }

    // flush chain NAME
    void operator()(const FlushChain& step) {
        nlmsghdr* message = start(NFT_MSG_DELRULE, step.family, 0);
        put_text(message, NFTA_RULE_TABLE, table_);
        put_text(message, NFTA_RULE_CHAIN, step.name);
        finish(message);
    }

    // add rule CHAIN ...
    void operator()(const AddRules& step) { add_rules(step.family, step.chain, step.rules); }

    // delete chain NAME
    void operator()(const DeleteChain& step) {
        nlmsghdr* message = start(NFT_MSG_DELCHAIN, step.family, 0);
        put_text(message, NFTA_CHAIN_TABLE, table_);
        put_text(message, NFTA_CHAIN_NAME, step.name);
        finish(message);
    }

private:
    nlmsghdr* start(std::uint16_t type, Family family, unsigned flags) {
        return writer_.start(type, protocol_family(family), flags);
    }

    void finish(const nlmsghdr* message) {
        writer_.finish(message);
        batch_.steps.push_back(step_);
    }

    SetHandle new_set(const std::string& name, Family family) {
        auto set = owned<SetHandle>(nftnl_set_alloc());
        nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table_.c_str());
        nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
        nftnl_set_set_u32(set.get(), NFTNL_SET_ID, ++last_set_id_);
        nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, address_type(family));
        nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, address_size(family));
        return set;
    }

    void finish_set(const SetHandle& set, const UserDataHandle& data, Family family) {
        nftnl_set_set_data(set.get(), NFTNL_SET_USERDATA, nftnl_udata_buf_data(data.get()),
                           nftnl_udata_buf_len(data.get()));
        nlmsghdr* message = start(NFT_MSG_NEWSET, family, NLM_F_CREATE | NLM_F_EXCL);
        nftnl_set_nlmsg_build_payload(message, set.get());
        finish(message);
    }

    void delete_set(Family family, const std::string& name) {
        nlmsghdr* message = start(NFT_MSG_DELSET, family, 0);
        put_text(message, NFTA_SET_TABLE, table_);
        put_text(message, NFTA_SET_NAME, name);
        finish(message);
    }

    // As many messages as the items need; `put_item` appends the attributes of one to the open list.
    template <typename PutItem>
    void put_elements(std::uint16_t type, unsigned flags, Family family, const std::string& set, std::size_t items,
                      PutItem put_item) {
        for (std::size_t item = 0; item < items;) {
            nlmsghdr* message = start(type, family, flags);
            put_text(message, NFTA_SET_ELEM_LIST_TABLE, table_);
            put_text(message, NFTA_SET_ELEM_LIST_SET, set);
            nlattr* list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
            while (item < items && message->nlmsg_len < list_limit) {
                put_item(message, item++);
            }
            mnl_attr_nest_end(message, list);
            finish(message);
        }
    }

    void add_rules(Family family, const std::string& chain, const std::vector<Rule>& rules) {
        for (const Rule& rule : rules) {
            nlmsghdr* message = start(NFT_MSG_NEWRULE, family, NLM_F_CREATE | NLM_F_APPEND);
            put_text(message, NFTA_RULE_TABLE, table_);
            put_text(message, NFTA_RULE_CHAIN, chain);
            nlattr* list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
            put(message, rule, family);
            mnl_attr_nest_end(message, list);
            finish(message);
        }
    }

    MessageWriter writer_;
    std::string table_;
    std::size_t step_ = Batch::no_step;
    std::uint32_t last_set_id_ = 0;
    Batch batch_;
};

}  // namespace

std::size_t Batch::step(std::uint32_t sequence) const {
    const std::uint32_t number = sequence - first_sequence;
    return number < steps.size() ? steps[number] : no_step;
}

// The first message has this attribute alone.
void Batch::aim(std::uint32_t generation) {
    constexpr std::size_t at = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg)) + MNL_ATTR_HDRLEN;
    const std::uint32_t number = htonl(generation);
    std::memcpy(&bytes.at(at), &number, sizeof number);
}

Batch encode(const Plan& plan, std::string_view table, std::optional<std::uint32_t> generation,
             std::uint32_t first_sequence) {
    Encoder encoder(table, first_sequence);
    encoder.begin(generation);
    encoder.encode(plan);
    encoder.confirm();
    encoder.end();
    return encoder.take();
}

Batch encode_probe(std::uint32_t first_sequence) {
    const std::string map = "probe";
    Chain chain;
    chain.name = "probe";
    chain.rules.emplace_back().statements = {SnatStateless{.field = Field::source, .maps = {{map}}}};
    const Plan plan{AddTable{Family::ipv4}, AddMap{Family::ipv4, Map{.name = map, .capacity = 1, .elements = {}}},
                    AddChain{Family::ipv4, chain}};
    Encoder encoder(probe_table, first_sequence);
    encoder.begin({});
    encoder.encode(plan);
    encoder.confirm();
    return encoder.take();
}

}  // namespace statnat
