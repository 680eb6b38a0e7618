// Answers every request with public/index.html, by libevent.
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

static void answer(struct evhttp_request *request, void *page) {
	int file = open(page, O_RDONLY);
	if (file < 0) {
		evhttp_send_error(request, HTTP_NOTFOUND, NULL);
		return;
	}
	struct evbuffer *body = evbuffer_new();
	evbuffer_add_file(body, file, 0, -1); // closes the file
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/html; charset=utf-8");
	evhttp_send_reply(request, HTTP_OK, NULL, body);
	evbuffer_free(body);
}

static void end(evutil_socket_t signal, short events, void *base) {
	event_base_loopbreak(base);
}

int main(void) {
	const char *port = getenv("PORT");
	struct event_base *base = event_base_new();
	struct evhttp *server = evhttp_new(base);
	if (evhttp_bind_socket(server, "0.0.0.0", atoi(port ? port : "8080")) != 0) {
		perror("the port cannot be listened on");
		return 1;
	}
	evhttp_set_gencb(server, answer, "public/index.html");
	event_add(evsignal_new(base, SIGTERM, end, base), NULL);
	printf("libevent %s\n", event_get_version());
	fflush(stdout);
	event_base_dispatch(base);
	return 0;
}
