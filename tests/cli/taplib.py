"""What the Python tests of this directory share: TAP, and running one of our programs with a time limit."""
import subprocess


class Tap:
    def __init__(self, environment):
        self.n, self.failed, self.environment = 0, 0, environment

    def ok(self, good, what, output=""):
        self.n += 1
        print("%s %d - %s" % ("ok" if good else "not ok", self.n, what), flush=True)
        if not good:
            self.failed += 1
            for line in str(output).splitlines():
                print("# " + line)
        return good

    def skip(self, what, reason):
        self.n += 1
        print("ok %d - %s # SKIP %s" % (self.n, what, reason.replace("\n", " ")), flush=True)

    def run(self, *command, **environment):
        """Exit code and output; 99 if it does not end."""
        try:
            p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                               env=dict(self.environment, **environment))
        except subprocess.TimeoutExpired:
            return 99, "(it did not end within 60 s)"
        return p.returncode, p.stdout

    def expect(self, what, command, code, texts, never=(), **environment):
        """Runs it; the code and all texts must be there, and none of `never`."""
        got, output = self.run(*command, **environment)
        missing = [x for x in texts if x not in output]
        told = [x for x in never if x in output]
        self.ok(got == code and not missing and not told, what,
                "exit %d, wanted %d\nmissing: %s\nmust not be there: %s\n%s" % (got, code, missing, told, output))
        return output

    def end(self):
        print("1..%d" % self.n)
        return self.failed > 0
