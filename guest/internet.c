/*
 * internet.c: just enough of the Internet to be found and to find others: ARP, IPv4 without fragments, ICMP echo.
 *
 * Addresses are numbers here (10.0.2.15 is 0x0A00020F), and big-endian in frames.  What comes in is looked at in the
 * interrupt handler and answered there; nothing is kept but an answer that somebody waits for.
 */
#include "devices.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define PROTOCOL_ICMP 1
#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO_REQUEST 8
#define MORE_FRAGMENTS 0x2000
#define FRAGMENT_OFFSET 0x1FFF
#define DO_NOT_FRAGMENT 0x4000
#define TIME_TO_LIVE 64

#define ECHO_ID 0x6C67           /* "lg" */
#define ECHO_DATA_BYTES 56
#define PATIENCE NSEC_PER_SEC
#define NEIGHBOURS 8

typedef struct {
	u8 byte[2];
} be16;

typedef struct {
	u8 byte[4];
} be32;

struct ethernet {
	u8 to[6], from[6];
	be16 type;
	u8 payload[];
};

struct arp {
	be16 hardware, protocol;
	u8 hardware_bytes, protocol_bytes;
	be16 operation;
	u8 sender_mac[6];
	be32 sender;
	u8 target_mac[6];
	be32 target;
};

struct ipv4 {
	u8 version_and_words, service;
	be16 bytes, id, fragment;
	u8 time_to_live, protocol;
	u16 checksum;
	be32 from, to;
	u8 payload[];
};

struct icmp {
	u8 type, code;
	u16 checksum;
	be16 id, sequence;
	u8 data[];
};

_Static_assert(sizeof(struct ethernet) == 14 && sizeof(struct arp) == 28, "as they are on the wire");
_Static_assert(sizeof(struct ipv4) == 20 && sizeof(struct icmp) == 8, "as they are on the wire");

static u32 address, mask, gateway;

/* Who has which address, as far as we have heard; the oldest makes room. */
static struct {
	u32 address;
	u8 mac[6];
} neighbours[NEIGHBOURS];
static u32 neighbours_heard;

/* The echo that the prompt waits for. */
static struct {
	u32 address;
	u16 sequence;
	u64 sent, answered;
} echo;

u32 internet_address(void) { return address; }

static u16 get16(be16 value) { return (u16)(value.byte[0] << 8 | value.byte[1]); }
static u32 get32(be32 value) { return (u32)value.byte[0] << 24 | (u32)value.byte[1] << 16 | (u32)value.byte[2] << 8 | value.byte[3]; }
static be16 put16(u32 value) { return (be16){{(u8)(value >> 8), (u8)value}}; }
static be32 put32(u32 value) { return (be32){{(u8)(value >> 24), (u8)(value >> 16), (u8)(value >> 8), (u8)value}}; }

/* The sum of all words, carries added again: 0 over what has its checksum in it.  It is the same in either byte order. */
static u16 checksum(const void *data, u32 bytes)
{
	const u8 *at = data;
	u32 sum = 0;

	for (; bytes > 1; bytes -= 2, at += 2)
		sum += (u32)(at[0] | at[1] << 8);
	if (bytes)
		sum += *at;
	sum = (sum & 0xFFFF) + (sum >> 16);
	return (u16)~(sum + (sum >> 16));
}

/* ---- numbers that people write ---- */

/* a.b.c.d; returns what follows, or NULL. */
const char *parse_address(const char *text, u32 *value)
{
	u32 part, digits, number;

	*value = 0;
	for (part = 0; part < 4; part++) {
		if (part && *text++ != '.')
			return NULL;
		for (digits = number = 0; *text >= '0' && *text <= '9' && digits < 3; digits++)
			number = number * 10 + (u32)(*text++ - '0');
		if (!digits || number > 255)
			return NULL;
		*value = *value << 8 | number;
	}
	return text;
}

void print_address(u32 value)
{
	print("%u.%u.%u.%u", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255);
}

/* ip=ADDRESS, ip=ADDRESS/BITS, or as Linux has it: ip=ADDRESS:(server):GATEWAY:MASK.  What is wrong there is as if it were not. */
void internet_init(void)
{
	char option[64];
	const char *at = NULL;
	u32 value, bits;

	mask = 0xFFFFFF00;
	if (boot_option("ip", option, sizeof(option)))
		at = parse_address(option, &address);
	if (!at)
		parse_address("10.0.2.15", &address);
	else if (*at == '/' && parse_number(at + 1, &bits) && bits >= 1 && bits <= 32)
		mask = ~0u << (32 - bits);
	gateway = (address & mask) + 2;
	for (bits = 0; at && *at; at++) {
		bits += *at == ':';
		if (*at == ':' && bits == 2 && parse_address(at + 1, &value))
			gateway = value;
		if (*at == ':' && bits == 3 && parse_address(at + 1, &value))
			mask = value;
	}
}

void internet_describe(void)
{
	const u8 *mac = net_mac();
	u32 index;

	print("address    ");
	print_address(address);
	print(", mask ");
	print_address(mask);
	print(", gateway ");
	print_address(gateway);
	print("\ncard       %02x:%02x:%02x:%02x:%02x:%02x, irq %u\n", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], net_irq());
	for (index = 0; index < NEIGHBOURS && index < neighbours_heard; index++) {
		mac = neighbours[index].mac;
		print("neighbour  %02x:%02x:%02x:%02x:%02x:%02x is ", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		print_address(neighbours[index].address);
		print("\n");
	}
}

/* ---- ARP ---- */

static const u8 *neighbour(u32 wanted)
{
	u32 index;

	for (index = 0; index < NEIGHBOURS && index < neighbours_heard; index++)
		if (neighbours[index].address == wanted)
			return neighbours[index].mac;
	return NULL;
}

static void remember(u32 whose, const u8 *mac)
{
	u32 index;

	for (index = 0; index < NEIGHBOURS && index < neighbours_heard; index++)
		if (neighbours[index].address == whose)
			break;
	if (index == NEIGHBOURS || index == neighbours_heard)
		index = neighbours_heard++ % NEIGHBOURS;
	neighbours[index].address = whose;
	memcpy(neighbours[index].mac, mac, 6);
}

static struct ethernet *new_frame(const u8 *to, u16 type)
{
	struct ethernet *frame = (struct ethernet *)net_frame();

	if (frame) {
		memcpy(frame->to, to, 6);
		memcpy(frame->from, net_mac(), 6);
		frame->type = put16(type);
	}
	return frame;
}

/* A request has nobody's card in it, and everybody hears it. */
static void send_arp(u16 operation, const u8 *target_mac, u32 target)
{
	static const u8 everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
	struct ethernet *frame = new_frame(target_mac ? target_mac : everybody, ETHERTYPE_ARP);
	struct arp *arp;

	if (!frame)
		return;
	arp = (struct arp *)frame->payload;
	*arp = (struct arp){put16(1), put16(ETHERTYPE_IPV4), 6, 4, put16(operation), {0}, put32(address), {0}, put32(target)};
	memcpy(arp->sender_mac, net_mac(), 6);
	if (target_mac)
		memcpy(arp->target_mac, target_mac, 6);
	net_send((u8 *)frame, sizeof(*frame) + sizeof(*arp));
}

static bool receive_arp(const struct arp *arp, u32 bytes)
{
	if (bytes < sizeof(*arp) || get16(arp->hardware) != 1 || get16(arp->protocol) != ETHERTYPE_IPV4 || arp->hardware_bytes != 6 ||
	    arp->protocol_bytes != 4 || get32(arp->target) != address)
		return false;
	remember(get32(arp->sender), arp->sender_mac);
	if (get16(arp->operation) == ARP_REQUEST) {
		send_arp(ARP_REPLY, arp->sender_mac, get32(arp->sender));
		net_counts.arp_answered++;
	}
	return true;
}

/* ---- IPv4 and ICMP ---- */

static void send_icmp(const u8 *mac, u32 to, u8 type, const struct icmp *like, u32 bytes)
{
	struct ethernet *frame = new_frame(mac, ETHERTYPE_IPV4);
	struct ipv4 *ip;
	struct icmp *icmp;

	if (!frame)
		return;
	ip = (struct ipv4 *)frame->payload;
	icmp = (struct icmp *)ip->payload;
	*ip = (struct ipv4){.version_and_words = 0x45, .bytes = put16(sizeof(*ip) + bytes), .fragment = put16(DO_NOT_FRAGMENT),
			    .time_to_live = TIME_TO_LIVE, .protocol = PROTOCOL_ICMP, .from = put32(address), .to = put32(to)};
	ip->checksum = checksum(ip, sizeof(*ip));
	memcpy(icmp, like, bytes);
	icmp->type = type;
	icmp->checksum = 0;
	icmp->checksum = checksum(icmp, bytes);
	net_send((u8 *)frame, sizeof(*frame) + sizeof(*ip) + bytes);
}

static bool receive_icmp(const struct ethernet *frame, const struct ipv4 *ip, const struct icmp *icmp, u32 bytes)
{
	if (bytes < sizeof(*icmp) || checksum(icmp, bytes) != 0 || icmp->code != 0)
		return false;
	if (icmp->type == ICMP_ECHO_REQUEST) {
		send_icmp(frame->from, get32(ip->from), ICMP_ECHO_REPLY, icmp, bytes);
		net_counts.echo_answered++;
		return true;
	}
	if (icmp->type != ICMP_ECHO_REPLY || get16(icmp->id) != ECHO_ID || get16(icmp->sequence) != echo.sequence ||
	    get32(ip->from) != echo.address || echo.answered)
		return false;
	echo.answered = clock_ns();
	return true;
}

/* A short frame is padded: how much of it counts stands in its own header. */
static bool receive_ipv4(const struct ethernet *frame, const struct ipv4 *ip, u32 bytes)
{
	u32 header = (u32)(ip->version_and_words & 15) * 4, total;

	if (bytes < sizeof(*ip) || ip->version_and_words >> 4 != 4 || header < sizeof(*ip))
		return false;
	total = get16(ip->bytes);
	if (total > bytes || header > total || checksum(ip, header) != 0 || get32(ip->to) != address ||
	    get16(ip->fragment) & (MORE_FRAGMENTS | FRAGMENT_OFFSET) || ip->protocol != PROTOCOL_ICMP)
		return false;
	return receive_icmp(frame, ip, (const struct icmp *)((const u8 *)ip + header), total - header);
}

void internet_receive(const u8 *data, u32 bytes)
{
	const struct ethernet *frame = (const struct ethernet *)data;
	bool wanted = false;

	if (bytes >= sizeof(*frame) && bytes <= ETHERNET_BYTES) {
		u16 type = get16(frame->type);

		if (type == ETHERTYPE_ARP)
			wanted = receive_arp((const struct arp *)frame->payload, bytes - sizeof(*frame));
		else if (type == ETHERTYPE_IPV4)
			wanted = receive_ipv4(frame, (const struct ipv4 *)frame->payload, bytes - sizeof(*frame));
	}
	if (!wanted)
		net_counts.ignored++;
}

/* ---- asking others ---- */

/* Interrupts are off.  True if it happened in time; ^C ends the waiting. */
static bool wait_for(bool (*happened)(void))
{
	struct timer timer = {0};

	timer_arm(&timer, clock_ns() + PATIENCE);
	while (!happened() && timer.armed && !console_interrupted())
		wait_for_interrupt();
	timer_cancel(&timer);
	/* If both came at once, the alarm was first, and the answer is at the door. */
	irq_enable();
	irq_save();
	return happened();
}

static u32 next_hop(void) { return (echo.address ^ address) & mask ? gateway : echo.address; }
static bool neighbour_known(void) { return neighbour(next_hop()) != NULL; }
static bool echo_answered(void) { return echo.answered != 0; }

enum ping_result internet_ping(u32 to, u16 sequence, u32 *nanoseconds)
{
	u8 request[sizeof(struct icmp) + ECHO_DATA_BYTES];
	struct icmp *icmp = (struct icmp *)request;
	enum ping_result result = PING_NO_ANSWER;
	u32 index, flags = irq_save();

	for (index = 0; index < ECHO_DATA_BYTES; index++)
		icmp->data[index] = (u8)index;
	icmp->code = 0;
	icmp->id = put16(ECHO_ID);
	icmp->sequence = put16(sequence);
	echo.address = to;
	echo.sequence = sequence;
	echo.answered = 0;
	if (!neighbour_known())
		send_arp(ARP_REQUEST, NULL, next_hop());
	if (!wait_for(neighbour_known)) {
		result = PING_UNREACHABLE;
	} else {
		echo.sent = clock_ns();
		send_icmp(neighbour(next_hop()), to, ICMP_ECHO_REQUEST, icmp, sizeof(request));
		if (wait_for(echo_answered))
			result = PING_ANSWERED;
		*nanoseconds = (u32)(echo.answered - echo.sent);
	}
	irq_restore(flags);
	return result;
}
