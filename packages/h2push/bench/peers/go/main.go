// Peers: sideshow/apns2 as shipped, and golang.org/x/net/http2 bare. Flags and result are those of peers/load.ts.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sideshow/apns2"
	"golang.org/x/net/http2"
)

const topic = "pass.example.stampede"

type load struct {
	client                                     string
	authority, cert, key                       string
	port, connections, streams, warmup, pushes int
}

type result struct {
	Pushes     int     `json:"pushes"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"`
	RssMb      float64 `json:"rssMb"`
	Ok         int64   `json:"ok"`
	Failed     int64   `json:"failed"`
	Hung       int     `json:"hung"`
}

// push sends to one token and says whether it was accepted.
type push func(token string) bool

func main() {
	l := load{}
	flag.StringVar(&l.client, "client", "apns2", "apns2 or http2")
	flag.StringVar(&l.authority, "authority", "", "PEM file")
	flag.StringVar(&l.cert, "cert", "", "PEM file")
	flag.StringVar(&l.key, "key", "", "PEM file")
	flag.IntVar(&l.port, "port", 0, "")
	flag.IntVar(&l.connections, "connections", 1, "")
	flag.IntVar(&l.streams, "streams", 1, "")
	flag.IntVar(&l.warmup, "warmup", 0, "")
	flag.IntVar(&l.pushes, "pushes", 1, "")
	flag.Parse()
	pushers := make([]push, l.connections)
	for i := range pushers {
		pushers[i] = newPusher(l)
		// The first push waits for SETTINGS: before them the transport assumes 100 streams and would dial more.
		pushers[i](token(i))
	}
	send(l, pushers, l.connections, l.warmup-l.connections)
	before, startedAt := usage(), time.Now()
	ok, failed := send(l, pushers, l.warmup, l.pushes)
	seconds := time.Since(startedAt).Seconds()
	after := usage()
	line, _ := json.Marshal(result{
		Pushes: l.pushes, Seconds: seconds, CPUSeconds: cpuSeconds(after) - cpuSeconds(before),
		RssMb: float64(after.Maxrss) / 1024, Ok: ok, Failed: failed,
	})
	fmt.Println(string(line))
}

func newPusher(l load) push {
	pem, err := os.ReadFile(l.authority)
	fail(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	origin := fmt.Sprintf("https://localhost:%d", l.port)
	if l.client == "apns2" {
		return apnsPusher(l, origin, roots)
	}
	transport := &http2.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return barePusher(&http.Client{Transport: transport}, origin)
}

func apnsPusher(l load, origin string, roots *x509.CertPool) push {
	certificate, err := tls.LoadX509KeyPair(l.cert, l.key)
	fail(err)
	client := apns2.NewClient(certificate)
	client.Host = origin
	client.HTTPClient.Transport.(*http2.Transport).TLSClientConfig.RootCAs = roots
	return func(token string) bool {
		response, err := client.Push(&apns2.Notification{
			DeviceToken: token, Topic: topic, PushType: apns2.PushTypeBackground, Priority: apns2.PriorityLow,
			Payload: []byte("{}"),
		})
		return err == nil && response.StatusCode == 200 && response.ApnsID != ""
	}
}

func barePusher(client *http.Client, origin string) push {
	return func(token string) bool {
		request, err := http.NewRequest(http.MethodPost, origin+"/3/device/"+token, bytes.NewReader([]byte("{}")))
		fail(err)
		request.Header.Set("apns-topic", topic)
		request.Header.Set("apns-push-type", "background")
		request.Header.Set("apns-priority", "5")
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err == nil && response.StatusCode == 200 && response.Header.Get("apns-id") != ""
	}
}

// send keeps connections * streams pushes in flight, one goroutine each.
func send(l load, pushers []push, first, count int) (ok, failed int64) {
	var next atomic.Int64
	var accepted, refused atomic.Int64
	var workers sync.WaitGroup
	for i := range l.connections * l.streams {
		workers.Go(func() {
			for {
				index := int(next.Add(1)) - 1
				if index >= count {
					return
				}
				if pushers[i%len(pushers)](token(first + index)) {
					accepted.Add(1)
				} else {
					refused.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return accepted.Load(), refused.Load()
}

var prefix = func() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}()

func token(index int) string {
	return prefix + fmt.Sprintf("%016x", index)
}

func usage() syscall.Rusage {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage
}

func cpuSeconds(usage syscall.Rusage) float64 {
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
