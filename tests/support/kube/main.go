// Command kube is every program of a Kubernetes control plane and of a node in one binary, which answers to the name
// that it is called by. They are Kubernetes' and etcd's own commands: one binary is compiled and linked once. With the
// build tag nodes it is a node's programs alone, which an older minor of Kubernetes is asked for (NAME.mod).
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var programs = map[string]func() int{
	"crictl":  crictl,
	"kubeadm": func() int { kubeadmerrors.HandleError(kubeadm.Run()); return 0 },
	"kubectl": func() int { return run(kubectl.NewDefaultKubectlCommand()) },
	"kubelet": func() int { return run(kubelet.NewKubeletCommand(context.Background())) },
}

func main() {
	name := filepath.Base(os.Args[0])
	program, known := programs[name]
	if !known {
		names := strings.Join(slices.Sorted(maps.Keys(programs)), ", ")
		fmt.Fprintf(os.Stderr, "expected to be called by one of the names %s, found %s; make a link of that name\n", names, name)
		os.Exit(2)
	}
	os.Exit(program())
}

func run(command *cobra.Command) int { return cli.Run(command) }
