// Setcap gives a file the capability to bind to low ports, as setcap(8) does: a step of a test runs it.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// netBindService is a struct vfs_cap_data, version 2: cap_net_bind_service, permitted and effective.
var netBindService = []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

func main() {
	if err := unix.Setxattr(os.Args[1], "security.capability", netBindService, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
