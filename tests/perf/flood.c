/* Sends the lines of a file as syslog messages at a steady rate: flood udp|lf|octet PORT FILE COUNT RATE
 *
 * A line is a message; after the last the file begins anew. RATE 0: as fast as it goes. It tells one line,
 * `SENT SECONDS`, after all was handed to the kernel (over TCP: after the receiver has closed its side).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define BLOCK (256 << 10)

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
		if (sent < 0) {
			perror("send");
			exit(1);
		}
		data += sent;
		size -= sent;
	}
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	int udp = !strcmp(argv[1], "udp"), octet = !strcmp(argv[1], "octet");
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
	inet_pton(AF_INET, "127.0.0.1", &place.sin_addr);
	int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&place, sizeof place)) {
		perror("connect");
		return 1;
	}
	struct stat about;
	int file = open(argv[3], O_RDONLY);
	if (file < 0 || fstat(file, &about)) {
		perror(argv[3]);
		return 1;
	}
	const char *text = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
	const char *at = text, *end = text + about.st_size;
	long count = atol(argv[4]), sent = 0;
	double rate = atof(argv[5]), began = now();
	static struct mmsghdr heads[BATCH];
	static struct iovec parts[BATCH];
	static char block[BLOCK + (64 << 10)];
	for (int i = 0; i < BATCH; i++) {
		heads[i].msg_hdr.msg_iov = &parts[i];
		heads[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < count) {
		long due = rate > 0 ? (long)((now() - began) * rate) : count;
		if (due > count)
			due = count;
		if (due <= sent) {
			struct timespec pause = {0, 500000};
			nanosleep(&pause, NULL);
			continue;
		}
		size_t held = 0;
		while (sent < due) {
			int many = 0;
			while (many < BATCH && sent < due) {
				const char *stop = memchr(at, '\n', end - at);
				size_t size = stop - at;
				if (udp) {
					parts[many].iov_base = (void *)at;
					parts[many].iov_len = size;
				} else {
					if (octet)
						held += sprintf(block + held, "%zu ", size);
					memcpy(block + held, at, size);
					held += size;
					if (!octet)
						block[held++] = '\n';
				}
				many++;
				sent++;
				at = stop + 1 < end ? stop + 1 : text;
				if (held > BLOCK)
					break;
			}
			if (udp) {
				for (int done = 0; done < many;) {
					int got = sendmmsg(fd, heads + done, many - done, 0);
					if (got > 0)
						done += got;
				}
			} else if (held > BLOCK || sent == due) {
				all(fd, block, held);
				held = 0;
			}
		}
	}
	if (!udp) {
		shutdown(fd, SHUT_WR);
		while (recv(fd, block, sizeof block, 0) > 0)
			;
	}
	printf("%ld %.3f\n", sent, now() - began);
	return 0;
}
