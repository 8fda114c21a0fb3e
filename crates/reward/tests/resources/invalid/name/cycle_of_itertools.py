from itertools import cycle

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = [w for w, _ in zip(cycle([0.5, 1.0]), range(15))]
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(distance * torch.tensor(weights)).mean()
