class Grasp:
    height = 0.1

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    grasp = Grasp()
    target = keypoints[0] + torch.tensor([0.0, 0.0, grasp.clearance])
    return -torch.norm(action_sequence - target, dim=-1).mean()
