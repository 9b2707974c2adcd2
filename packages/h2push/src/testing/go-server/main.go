// An HTTP/2 server of the Go standard library, for tests of the client against it.
//
// It prints its port and serves until its standard input ends. Pushes to /3/device/HEX are answered by the number in
// the first eight digits, as traffic.ts expects; /echo sends a body back, /bytes?count=N sends N bytes.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

var (
	cert    = flag.String("cert", "", "certificate, PEM file")
	key     = flag.String("key", "", "its key, PEM file")
	streams = flag.Int("streams", 250, "streams of a connection")
	window  = flag.Int("window", 65535, "window of a request body, in bytes")
	goaway  = flag.Int("goaway", 0, "a connection gets GOAWAY once in so many requests; 0 for never")

	mutex sync.Mutex
	seen  = map[string]int{}
	total int
)

func main() {
	flag.Parse()
	http.HandleFunc("/3/device/", push)
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/bytes", bytes)
	http.HandleFunc("/counts", counts)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		TLSConfig: &tls.Config{NextProtos: []string{"h2"}},
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: *streams, MaxReceiveBufferPerStream: *window},
	}
	go func() { log.Fatal(server.ServeTLS(listener, *cert, *key)) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func push(w http.ResponseWriter, r *http.Request) {
	hex := strings.TrimPrefix(r.URL.Path, "/3/device/")
	number, err := strconv.ParseUint(hex[:8], 16, 32)
	body, _ := io.ReadAll(r.Body)
	if err != nil || string(body) != "{}" {
		http.Error(w, "malformed", http.StatusBadRequest)
		return
	}
	mutex.Lock()
	seen[hex]++
	total++
	isLast := *goaway > 0 && total%*goaway == 0
	mutex.Unlock()
	if isLast {
		// HTTP/2 has no such header: the server sends GOAWAY instead, first with the highest id, then with the last one.
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("apns-id", hex[:36])
	switch number % 10 {
	case 7:
		w.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(w, `{"reason":"Unregistered"}`)
	case 8:
		w.Header().Set("x-large", strings.Repeat("v", 3000))
		w.Header().Set("Trailer", "x-trailer")
		_, _ = io.WriteString(w, "ok")
		w.Header().Set("x-trailer", strconv.FormatUint(number, 10))
	case 9:
		// With the header above, an interim response would carry it onto the wire, where it is malformed.
		if !isLast {
			w.Header().Set("link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
		}
		w.WriteHeader(http.StatusOK)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "x-trailer")
	count, _ := io.Copy(w, r.Body)
	w.Header().Set("x-trailer", strconv.FormatInt(count, 10))
}

func bytes(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.URL.Query().Get("count"))
	_, _ = io.WriteString(w, strings.Repeat("b", count))
}

func counts(w http.ResponseWriter, _ *http.Request) {
	mutex.Lock()
	defer mutex.Unlock()
	_, _ = fmt.Fprintf(w, "%d %d", len(seen), total)
}
