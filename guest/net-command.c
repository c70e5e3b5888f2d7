/*
 * net-command.c: the commands "net" and "ping".
 */
#include "devices.h"

#define PINGS 4

static bool no_card(const char *command)
{
	if (!net_present())
		print("%s: there is no network card (the Launcher's option --net adds one)\n", command);
	return !net_present();
}

void command_net(u32 count, char **words)
{
	(void)count;
	if (no_card(words[0]))
		return;
	internet_describe();
	print("frames     %u in, %u out, %u not sent for want of a buffer\n", net_counts.received, net_counts.sent, net_counts.dropped);
	print("answered   %u who asked for our card, %u who wanted an echo\n", net_counts.arp_answered, net_counts.echo_answered);
	print("ignored    %u that were broken, or not for us, or of a kind that we do not know\n", net_counts.ignored);
}

static void tell(u32 address, u32 sequence, enum ping_result result, u32 nanoseconds)
{
	print_address(address);
	if (result == PING_ANSWERED)
		print(": answer %u after %u.%03u ms\n", sequence, nanoseconds / NSEC_PER_MSEC, nanoseconds / 1000 % 1000);
	else
		print(result == PING_UNREACHABLE ? ": nobody there knows the way\n" : ": no answer %u\n", sequence);
}

void command_ping(u32 count, char **words)
{
	static u32 sequence;
	u32 address, wanted = PINGS, sent, answered = 0, nanoseconds = 0;
	const char *rest = count >= 2 ? parse_address(words[1], &address) : NULL;

	if (!rest || *rest || count > 3 || (count == 3 && !parse_number(words[2], &wanted))) {
		print("ping: whom, and how often?  ping 10.0.2.2 3\n");
		return;
	}
	if (no_card(words[0]))
		return;
	for (sent = 0; sent < wanted && !console_interrupted(); sent++) {
		enum ping_result result;

		if (sent)
			sleep_ns(NSEC_PER_SEC);
		if (console_interrupted())
			break;
		result = internet_ping(address, (u16)++sequence, &nanoseconds);
		answered += result == PING_ANSWERED;
		tell(address, sequence, result, nanoseconds);
	}
	print("%u asked, %u answered\n", sent, answered);
}
