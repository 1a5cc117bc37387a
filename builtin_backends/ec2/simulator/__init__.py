"""An EC2 instance without AWS: a real sshd, the parts of AWS's API that the backend calls, and a tunnel endpoint.

Everything runs on the loopback interface. Needs the extra `simulator` and `sshd`. `plugport demo --ec2` starts it;
`python -m plugport.builtin_backends.ec2.simulator --help` shows its options.
"""
