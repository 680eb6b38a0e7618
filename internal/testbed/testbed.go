// Package testbed is what the end-to-end tests and the benchmarks build with: packfiles, so far.
package testbed
