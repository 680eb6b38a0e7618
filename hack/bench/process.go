package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// process is a program that the benchmark runs beside itself.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// start runs a program with its output in a file of dir.
func start(dir, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.cmd.Wait()
	}()
	return p, nil
}

// await asks again and again until there is no error.
func (p *process) await(ask func() error) error {
	const patience, pause = 20 * time.Second, 20 * time.Millisecond
	deadline := time.After(patience)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
			continue
		case <-p.ended:
		case <-deadline:
		}
		text, _ := os.ReadFile(p.log)
		return fmt.Errorf("%s did not start: %w\n%s", p.cmd.Path, err, text)
	}
}

// stop ends it, gently for ten seconds.
func (p *process) stop() {
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}
