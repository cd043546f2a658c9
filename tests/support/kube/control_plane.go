//go:build !nodes

package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func init() {
	programs["etcd"] = func() int { etcdmain.Main(os.Args); return 0 }
	programs["kube-apiserver"] = func() int { return run(apiserver.NewAPIServerCommand()) }
	programs["kube-controller-manager"] = func() int { return run(manager.NewControllerManagerCommand()) }
	programs["kube-scheduler"] = func() int { return run(scheduler.NewSchedulerCommand()) }
}
