// Command workload is what runs in the pods of the lab, and in their sandboxes: it says what it may use, then waits
// until it is told to stop.
package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

const lockedMemory = 8 // RLIMIT_MEMLOCK, which syscall does not name

type limits struct {
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}

type granted struct {
	CPUs         string   `json:"cpus"`
	Devices      []string `json:"devices"`
	Environment  []string `json:"environment"`
	LockedMemory limits   `json:"locked_memory"`
	OpenFiles    limits   `json:"open_files"`
}

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	devices, _ := filepath.Glob("/dev/nvidia*")
	json.NewEncoder(os.Stdout).Encode(granted{
		CPUs:         cpus(),
		Devices:      append([]string{}, devices...),
		Environment:  os.Environ(),
		LockedMemory: limit(lockedMemory),
		OpenFiles:    limit(syscall.RLIMIT_NOFILE),
	})
	<-stop
}

func cpus() string {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if list, found := strings.CutPrefix(line, "Cpus_allowed_list:"); found {
			return strings.TrimSpace(list)
		}
	}
	return ""
}

func limit(which int) limits {
	var found syscall.Rlimit
	syscall.Getrlimit(which, &found)
	return limits{found.Cur, found.Max}
}
