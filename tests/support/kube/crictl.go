package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"sigs.k8s.io/yaml"
)

const crictlSettings = "/etc/crictl.yaml"

// crictlVersion is what the linker is told.
var crictlVersion = "unknown"

// crictl stands in for cri-tools, whose module cannot be had everywhere: it asks the runtime what the real one asks,
// and knows --version, version, info, images, pods and ps, without their options.
func crictl() int {
	asked := strings.Join(os.Args[1:], " ")
	if asked == "--version" {
		fmt.Printf("crictl version %s\n", crictlVersion)
		return 0
	}
	if err := ask(asked); err != nil {
		fmt.Fprintf(os.Stderr, "crictl: %v\n", err)
		return 1
	}
	return 0
}

func ask(asked string) error {
	endpoint, err := runtimeEndpoint()
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	within, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return answer(within, asked, cri.NewRuntimeServiceClient(connection), cri.NewImageServiceClient(connection))
}

func answer(within context.Context, asked string, runtime cri.RuntimeServiceClient, images cri.ImageServiceClient) error {
	switch asked {
	case "version":
		return version(runtime.Version(within, &cri.VersionRequest{}))
	case "info":
		return printed(runtime.Status(within, &cri.StatusRequest{Verbose: true}))
	case "images":
		return printed(images.ListImages(within, &cri.ListImagesRequest{}))
	case "pods":
		return printed(runtime.ListPodSandbox(within, &cri.ListPodSandboxRequest{}))
	case "ps":
		running := &cri.ContainerFilter{State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}}
		return printed(runtime.ListContainers(within, &cri.ListContainersRequest{Filter: running}))
	}
	return fmt.Errorf("this stand-in knows version, info, images, pods and ps, not %q", asked)
}

func version(found *cri.VersionResponse, err error) error {
	if err != nil {
		return err
	}
	fmt.Printf("Version:  %s\nRuntimeName:  %s\n", found.Version, found.RuntimeName)
	fmt.Printf("RuntimeVersion:  %s\nRuntimeApiVersion:  %s\n", found.RuntimeVersion, found.RuntimeApiVersion)
	return nil
}

func printed[T any](found T, err error) error {
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(found, "", "  ")
	if err == nil {
		fmt.Println(string(text))
	}
	return err
}

func runtimeEndpoint() (string, error) {
	if chosen := os.Getenv("CONTAINER_RUNTIME_ENDPOINT"); chosen != "" {
		return chosen, nil
	}
	text, err := os.ReadFile(crictlSettings)
	if err != nil {
		return "", err
	}
	var settings struct {
		Endpoint string `json:"runtime-endpoint"`
	}
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return "", fmt.Errorf("%s: %w", crictlSettings, err)
	}
	if settings.Endpoint == "" {
		return "", fmt.Errorf("%s: no runtime-endpoint", crictlSettings)
	}
	return settings.Endpoint, nil
}
