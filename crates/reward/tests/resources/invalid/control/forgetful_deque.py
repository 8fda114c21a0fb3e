from collections import deque

num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    last = deque(maxlen=3)
    for point in action_sequence[0]:
        last.append(point)
    return -sum((point - keypoints[0]).norm() for point in last)
