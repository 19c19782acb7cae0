// Peers runs one agent of hashicorp/memberlist, with its defaults for a LAN and a key, so that the
// benches can measure it beside mesh on the same hosts and in the same run.
//
//	peers -name n1 -bind 10.77.0.2 -join 10.77.0.1
//
// Standard output has one JSON object a line, with the time in milliseconds since 1970:
//
//	{"at":…,"event":"ready"}                      it listens; what follows is the joining
//	{"at":…,"event":"members","count":100}        so many are alive, this one included
//	{"at":…,"event":"update","name":"n7"}         the metadata of n7 is newer
//	{"at":…,"event":"dead","name":"n7"}           n7 is no longer a member
//	{"at":…,"event":"changed"}                    this one's metadata changed (SIGHUP)
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/memberlist"
)

// AES-256. All agents of all runs share it: nothing here is a secret.
var key = []byte("a key for benches, 32 bytes long")

var output sync.Mutex

type event struct {
	At    int64  `json:"at"`
	Event string `json:"event"`
	Name  string `json:"name,omitempty"`
	Count int    `json:"count,omitempty"`
}

func say(what event) {
	what.At = time.Now().UnixMilli()
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(what); err != nil {
		os.Exit(1)
	}
}

// agent counts members and tells what changes; memberlist calls it one event at a time.
type agent struct {
	sync.Mutex
	count int
	meta  []byte
}

func (a *agent) NotifyJoin(*memberlist.Node) {
	a.count++
	say(event{Event: "members", Count: a.count})
}

func (a *agent) NotifyLeave(node *memberlist.Node) {
	a.count--
	say(event{Event: "dead", Name: node.Name})
}

func (a *agent) NotifyUpdate(node *memberlist.Node) {
	say(event{Event: "update", Name: node.Name})
}

func (a *agent) NodeMeta(int) []byte {
	a.Lock()
	defer a.Unlock()
	return a.meta
}

func (a *agent) NotifyMsg([]byte)                {}
func (a *agent) GetBroadcasts(int, int) [][]byte { return nil }
func (a *agent) LocalState(bool) []byte          { return nil }
func (a *agent) MergeRemoteState([]byte, bool)   {}

func run() error {
	name := flag.String("name", "", "name of this agent")
	bind := flag.String("bind", "127.0.0.1", "address to listen on")
	join := flag.String("join", "", "address of an agent to join")
	flag.Parse()

	self := &agent{meta: []byte("0")}
	config := memberlist.DefaultLANConfig()
	config.Name = *name
	config.BindAddr = *bind
	config.SecretKey = key
	config.Events = self
	config.Delegate = self
	config.LogOutput = io.Discard
	list, err := memberlist.Create(config)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	say(event{Event: "ready"})
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	for *join != "" {
		if _, err := list.Join([]string{*join}); err == nil {
			break
		}
		// Its first agent may not listen yet.
		time.Sleep(100 * time.Millisecond)
	}
	for changes := 1; ; changes++ {
		<-hangups
		self.Lock()
		self.meta = []byte(strconv.Itoa(changes))
		self.Unlock()
		say(event{Event: "changed"})
		if err := list.UpdateNode(10 * time.Second); err != nil {
			return fmt.Errorf("cannot change: %w", err)
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
