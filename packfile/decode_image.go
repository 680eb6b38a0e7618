package packfile

import (
	"strings"
	"time"

	"github.com/packfile/frontend/node"
)

var imageSchema = node.Define(node.Schema[ImageConfig]{
	What: "config.image",
	Keys: []node.Key[ImageConfig]{
		{Name: "expose", Read: readExpose},
		node.Strings("volumes", func(c *ImageConfig) *[]string { return &c.Volumes }, volume),
		{Name: "stop-signal", Read: readStopSignal},
		{Name: "healthcheck", Read: readHealthcheck},
	},
})

var imageKey = node.Optional("image", imageSchema, func(c *Config) **ImageConfig { return &c.Image })

// readImageConfig reads config.image, which is not the name of an image.
func readImageConfig(d *node.Decoder, c *Config, e *node.Entry) {
	if e.Value.Kind == node.StringKind {
		d.Wrong(e, e.Value, "a table", "images are named by "+d.Key("build-image")+" and "+d.Key("run-image"))
		return
	}
	imageKey.Read(d, c, e)
}

// readExpose reads ports, and writes their ranges out.
func readExpose(d *node.Decoder, c *ImageConfig, e *node.Entry) {
	for i, text := range d.Strings(&c.Table, "expose", e, []node.Check{portRange}) {
		ports, _, _ := parsePorts(text)
		if len(c.Expose)+len(ports) > node.MaxEntries {
			d.Fail(c.Item("expose", i), "", "%s: more than %d ports", e.Key, node.MaxEntries)
			return
		}
		c.Expose = append(c.Expose, ports...)
	}
}

var stopSignalKey = node.String("stop-signal", func(c *ImageConfig) *string { return &c.StopSignal }, stopSignal)

// readStopSignal reads a signal. One signal has several names, of which the image has one.
func readStopSignal(d *node.Decoder, c *ImageConfig, e *node.Entry) {
	stopSignalKey.Read(d, c, e)
	c.StopSignal = signalName(c.StopSignal)
}

var healthcheckKey = node.Optional("healthcheck", healthcheckSchema, func(c *ImageConfig) **Healthcheck { return &c.Healthcheck })

// noCheck is the word that turns a health check off.
const noCheck = "none"

// readHealthcheck reads a table, or the word none.
func readHealthcheck(d *node.Decoder, c *ImageConfig, e *node.Entry) {
	switch n := e.Value; {
	case n.Kind == node.StringKind && n.Text == noCheck:
		c.Healthcheck = &Healthcheck{Table: node.NewTable(n.At), None: true}
	case n.Kind == node.TableKind:
		healthcheckKey.Read(d, c, e)
	default:
		hint := d.Example(e.Key, node.Quote(noCheck)) + " for none"
		if words := checkWords(n); words != "" {
			hint = "a table with the command as a list: " + strings.TrimPrefix(d.Example("command", words), "write ")
		}
		d.Wrong(e, n, `a table or "none"`, hint)
	}
}

// checkWords returns the command that a string or a list probably means, as a list; "" when the value is something else.
func checkWords(n *node.Node) string {
	switch n.Kind {
	case node.StringKind:
		return quotedList(strings.Fields(n.Text))
	case node.ArrayKind:
		var words []string
		for _, item := range n.Items {
			words = append(words, item.Text)
		}
		return quotedList(words)
	}
	return ""
}

var healthcheckSchema = node.Define(node.Schema[Healthcheck]{
	What:  "a healthcheck",
	Start: func(h *Healthcheck) { h.Direct = true },
	Keys: []node.Key[Healthcheck]{
		node.Required(node.Key[Healthcheck]{Name: "command", Read: readCheckCommand}),
		node.Boolean("direct", func(h *Healthcheck) *bool { return &h.Direct }),
		checkTime("interval", func(h *Healthcheck) *time.Duration { return &h.Interval }),
		checkTime("timeout", func(h *Healthcheck) *time.Duration { return &h.Timeout }),
		checkTime("start-period", func(h *Healthcheck) *time.Duration { return &h.StartPeriod }),
		checkTime("start-interval", func(h *Healthcheck) *time.Duration { return &h.StartInterval }),
		node.Integer("retries", func(h *Healthcheck) *int { return &h.Retries }, 1, 1000),
	},
	Finish: finishHealthcheck,
})

func checkTime(name string, field func(*Healthcheck) *time.Duration) node.Key[Healthcheck] {
	return duration(name, field, `as in "30s" or "1m30s"`)
}

// readCheckCommand reads a list. A string would be a program or a line for a shell, and Dockerfiles have both.
func readCheckCommand(d *node.Decoder, h *Healthcheck, e *node.Entry) {
	n := d.AsText(e.Value)
	if n.Kind != node.StringKind {
		h.Command = d.Strings(&h.Table, "command", e, nil)
		if n.Kind == node.ArrayKind && (len(h.Command) == 0 || strings.TrimSpace(h.Command[0]) == "") {
			d.Fail(n.At, "", "%s names no program", e.Key)
			h.Command = nil
		}
		return
	}
	hint := d.Example(e.Key, quotedList(strings.Fields(n.Text)))
	if len(strings.Fields(n.Text)) > 1 {
		hint += ", or " + quotedList([]string{n.Text}) + " and " + strings.TrimPrefix(d.Example("direct", "false"), "write ") +
			" to run it through a shell"
	}
	d.Wrong(e, n, "an array of strings", hint)
}

func finishHealthcheck(d *node.Decoder, h *Healthcheck) {
	if h.Has("start-interval") && !h.Has("start-period") {
		d.Fail(h.At("start-interval"), "", "%s: there is no %s that it is for", d.Key("start-interval"), d.Key("start-period"))
	}
	if len(h.Command) == 0 {
		return
	}
	line := strings.Join(h.Command, " ")
	switch {
	case h.Direct && len(h.Command) == 1 && len(strings.Fields(line)) > 1:
		d.Fail(h.At("command"), either(d, "command", quotedList(strings.Fields(line)), "direct", "false")+" to run it through a shell",
			"command: a direct healthcheck runs one program, and %s holds white space", node.Quote(line))
	case !h.Direct && len(h.Command) > 1:
		d.Fail(h.At("command"), either(d, "command", quotedList([]string{line}), "direct", "true"),
			"command: a healthcheck that is not direct runs one line in a shell")
	}
}
