from enum import Enum

class Weight(Enum):
    REACH = 1.0
    LIFT = 2.0

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -Weight(0.5).value * distance.mean()
