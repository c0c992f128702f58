"""Control of a running pipeline from outside: its status, and commands over a local socket."""
