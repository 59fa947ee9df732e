# Takes a message of type 1, a job, and answers with one of type 2.
import ctypes
import sys


class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 64)]


libc, queue, message = ctypes.CDLL(None), int(sys.argv[1]), Message()
room, job = ctypes.c_size_t(64), ctypes.c_long(1)
if libc.msgrcv(queue, ctypes.byref(message), room, job, 0) < 0:
    sys.exit("msgrcv failed")
answer = message.text.upper()
message.type, message.text = 2, answer
if libc.msgsnd(queue, ctypes.byref(message), ctypes.c_size_t(len(answer)), 0) < 0:
    sys.exit("msgsnd failed")
